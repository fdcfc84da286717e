// Parlour on Container Apps: web, workers by queue, beat, embeddings, and a model server on serverless GPU.

@description('Region of the apps.')
param location string

@description('Tags of the apps.')
param tags object

@description('Resource id of the environment.')
param environmentId string

@description('Resource id of the application\'s identity.')
param identityId string

@description('Registry of the images.')
param registryServer string

@description('Image of the application, by digest.')
param image string

@description('Image of the embedding server, by digest; empty where another server embeds.')
param embeddingsImage string

@description('Image of the model server; empty where none runs here.')
param modelImage string

@description('Model that the model server pulls at its first start.')
param modelName string

@description('Is the environment\'s storage `models` there to keep weights?')
param keepModels bool

@description('Host of Azure Managed Redis, asked for the length of queues.')
param redisHost string

@description('Address of the secret with the key of Redis, which the scaler signs in with.')
param redisKeyUri string

@description('Serverless GPU profile of the environment; empty for none.')
param gpuProfile string

@description('Secret settings: `name` of the variable, `secret` in the app and `uri` in the vault.')
param secretSettings array

@description('Other settings, each with `name` and `value`.')
param settings array

@description('Fewest web replicas; 0 sleeps until somebody comes.')
param webMinReplicas int

@description('Most web replicas.')
param webMaxReplicas int

@description('Most replicas of each worker.')
param workerMaxReplicas int

var queues = [
  'ingest'
  'default'
]
var secretVariables = [for setting in secretSettings: {
  name: setting.name
  secretRef: setting.secret
}]
var appSecrets = [for setting in secretSettings: {
  name: setting.secret
  keyVaultUrl: setting.uri
  identity: identityId
}]
var scalerSecrets = array({ name: 'redis-key', keyVaultUrl: redisKeyUri, identity: identityId })
var hasA100 = gpuProfile == 'Consumption-GPU-NC24-A100'
var identities = {
  '${identityId}': {}
}
var modelVolumes = keepModels ? array({ name: 'models', storageType: 'NfsAzureFile', storageName: 'models' }) : array({ name: 'models', storageType: 'EmptyDir' })

resource web 'Microsoft.App/containerApps@2026-01-01' = {
  name: 'web'
  location: location
  tags: tags
  identity: {
    type: 'UserAssigned'
    userAssignedIdentities: identities
  }
  properties: {
    environmentId: environmentId
    workloadProfileName: 'Consumption'
    configuration: {
      activeRevisionsMode: 'Single'
      maxInactiveRevisions: 5
      ingress: {
        external: true
        targetPort: 8000
        transport: 'auto'
        allowInsecure: false
      }
      registries: [
        {
          server: registryServer
          identity: identityId
        }
      ]
      secrets: appSecrets
    }
    template: {
      // The old revision goes on with its replies; what is left then is taken over.
      terminationGracePeriodSeconds: 150
      containers: [
        {
          name: 'web'
          image: image
          command: [
            'python'
            'manage.py'
            'serve'
            '--host'
            '0.0.0.0'
            '--grace-seconds'
            '120'
          ]
          resources: {
            cpu: json('1.0')
            memory: '2Gi'
          }
          env: concat(settings, secretVariables)
          probes: [
            {
              type: 'Startup'
              periodSeconds: 2
              failureThreshold: 60
              httpGet: {
                path: '/healthz'
                port: 8000
              }
            }
            {
              type: 'Liveness'
              periodSeconds: 10
              timeoutSeconds: 5
              failureThreshold: 6
              httpGet: {
                path: '/healthz'
                port: 8000
              }
            }
            {
              type: 'Readiness'
              periodSeconds: 5
              timeoutSeconds: 5
              failureThreshold: 3
              httpGet: {
                path: '/readyz'
                port: 8000
              }
            }
          ]
        }
      ]
      scale: {
        minReplicas: webMinReplicas
        maxReplicas: webMaxReplicas
        rules: [
          {
            name: 'requests'
            http: {
              metadata: {
                concurrentRequests: '100'
              }
            }
          }
        ]
      }
    }
  }
}

resource workers 'Microsoft.App/containerApps@2026-01-01' = [for queue in queues: {
  name: 'worker-${queue}'
  location: location
  tags: tags
  identity: {
    type: 'UserAssigned'
    userAssignedIdentities: identities
  }
  properties: {
    environmentId: environmentId
    workloadProfileName: 'Consumption'
    configuration: {
      activeRevisionsMode: 'Single'
      registries: [
        {
          server: registryServer
          identity: identityId
        }
      ]
      secrets: concat(appSecrets, scalerSecrets)
    }
    template: {
      terminationGracePeriodSeconds: 300
      containers: [
        {
          name: 'worker'
          image: image
          command: [
            'celery'
            '-A'
            'config'
            'worker'
            '-Q'
            queue
            '--concurrency'
            '2'
          ]
          resources: {
            cpu: json('1.0')
            memory: '2Gi'
          }
          env: concat(settings, secretVariables)
        }
      ]
      scale: {
        minReplicas: 0
        maxReplicas: workerMaxReplicas
        cooldownPeriod: 300
        rules: [
          {
            name: 'queue'
            custom: {
              type: 'redis'
              metadata: {
                address: '${redisHost}:10000'
                enableTLS: 'true'
                databaseIndex: '0'
                listName: 'parlour:celery:${queue}'
                listLength: '10'
              }
              auth: [
                {
                  secretRef: 'redis-key'
                  triggerParameter: 'password'
                }
              ]
            }
          }
        ]
      }
    }
  }
}]

// One beat, always there: it finds abandoned work, also while everything else sleeps.
resource beat 'Microsoft.App/containerApps@2026-01-01' = {
  name: 'beat'
  location: location
  tags: tags
  identity: {
    type: 'UserAssigned'
    userAssignedIdentities: identities
  }
  properties: {
    environmentId: environmentId
    workloadProfileName: 'Consumption'
    configuration: {
      activeRevisionsMode: 'Single'
      registries: [
        {
          server: registryServer
          identity: identityId
        }
      ]
      secrets: appSecrets
    }
    template: {
      containers: [
        {
          name: 'beat'
          image: image
          command: [
            'celery'
            '-A'
            'config'
            'beat'
            '--schedule'
            '/tmp/schedule'
          ]
          resources: {
            cpu: json('0.25')
            memory: '0.5Gi'
          }
          env: concat(settings, secretVariables)
        }
      ]
      scale: {
        minReplicas: 1
        maxReplicas: 1
      }
    }
  }
}

resource embeddings 'Microsoft.App/containerApps@2026-01-01' = if (!empty(embeddingsImage)) {
  name: 'embeddings'
  location: location
  tags: tags
  identity: {
    type: 'UserAssigned'
    userAssignedIdentities: identities
  }
  properties: {
    environmentId: environmentId
    workloadProfileName: 'Consumption'
    configuration: {
      activeRevisionsMode: 'Single'
      ingress: {
        external: false
        targetPort: 8080
        transport: 'http'
        allowInsecure: true
      }
      registries: [
        {
          server: registryServer
          identity: identityId
        }
      ]
    }
    template: {
      containers: [
        {
          name: 'embeddings'
          image: embeddingsImage
          resources: {
            cpu: json('1.0')
            memory: '2Gi'
          }
        }
      ]
      scale: {
        minReplicas: webMinReplicas
        maxReplicas: workerMaxReplicas
      }
    }
  }
}

// Serverless GPU: the first container of the app has it, and at zero replicas it costs nothing.
resource model 'Microsoft.App/containerApps@2026-01-01' = if (!empty(modelImage)) {
  name: 'model'
  location: location
  tags: tags
  properties: {
    environmentId: environmentId
    workloadProfileName: 'gpu'
    configuration: {
      activeRevisionsMode: 'Single'
      ingress: {
        external: false
        targetPort: 11434
        transport: 'http'
        allowInsecure: true
      }
    }
    template: {
      volumes: modelVolumes
      containers: [
        {
          name: 'ollama'
          image: modelImage
          command: [
            'sh'
            '-c'
            'ollama serve & until ollama list >/dev/null 2>&1; do sleep 1; done; ollama pull "$MODEL"; wait'
          ]
          env: [
            {
              name: 'MODEL'
              value: modelName
            }
            {
              name: 'OLLAMA_MODELS'
              value: '/models'
            }
            {
              name: 'OLLAMA_KEEP_ALIVE'
              value: '24h'
            }
          ]
          resources: {
            cpu: json(hasA100 ? '24.0' : '8.0')
            memory: hasA100 ? '220Gi' : '56Gi'
          }
          volumeMounts: [
            {
              volumeName: 'models'
              mountPath: '/models'
            }
          ]
        }
      ]
      scale: {
        minReplicas: 0
        maxReplicas: 1
        cooldownPeriod: 900
        rules: [
          {
            name: 'requests'
            http: {
              metadata: {
                concurrentRequests: '8'
              }
            }
          }
        ]
      }
    }
  }
}

@description('Host that people type.')
output hostName string = web.properties.configuration.ingress.fqdn
