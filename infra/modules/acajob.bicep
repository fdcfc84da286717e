// The job that migrates and prepares the database. It runs before the apps take a new image, and `estate.py`
// waits for it: migrations only ever add, so the old apps go on beside them.

@description('Region of the job.')
param location string

@description('Tags of the job.')
param tags object

@description('Resource id of the environment.')
param environmentId string

@description('Resource id of the application\'s identity.')
param identityId string

@description('Registry of the image.')
param registryServer string

@description('Image, by digest.')
param image string

@description('Secret settings: `name` of the variable, `secret` in the app and `uri` in the vault.')
param secretSettings array

@description('Other settings, each with `name` and `value`.')
param settings array

var secretVariables = [for setting in secretSettings: {
  name: setting.name
  secretRef: setting.secret
}]

resource migrate 'Microsoft.App/jobs@2026-01-01' = {
  name: 'migrate'
  location: location
  tags: tags
  identity: {
    type: 'UserAssigned'
    userAssignedIdentities: {
      '${identityId}': {}
    }
  }
  properties: {
    environmentId: environmentId
    workloadProfileName: 'Consumption'
    configuration: {
      triggerType: 'Manual'
      replicaTimeout: 1800
      replicaRetryLimit: 2
      manualTriggerConfig: {
        parallelism: 1
        replicaCompletionCount: 1
      }
      registries: [
        {
          server: registryServer
          identity: identityId
        }
      ]
      secrets: [for setting in secretSettings: {
        name: setting.secret
        keyVaultUrl: setting.uri
        identity: identityId
      }]
    }
    template: {
      containers: [
        {
          name: 'migrate'
          image: image
          command: [
            'python'
            'manage.py'
            'prepare'
          ]
          resources: {
            cpu: json('0.5')
            memory: '1Gi'
          }
          env: concat(settings, secretVariables)
        }
      ]
    }
  }
}

@description('Name of the job.')
output jobName string = migrate.name
