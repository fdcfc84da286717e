// The Container Apps environment: network, logs, GPU profile and the share with model weights.

@description('Region of the environment.')
param location string

@description('Name of the estate, used as the stem of resource names.')
param name string

@description('Tags of the environment.')
param tags object

@description('Subnet of the environment, delegated to Microsoft.App/environments.')
param subnetId string

@description('Name of the Log Analytics workspace.')
param logsName string

@description('Serverless GPU profile, for example Consumption-GPU-NC8as-T4; empty for none. Regions: `az containerapp env workload-profile list-supported`.')
param gpuProfile string

@description('Host of the NFS share with model weights; empty for none.')
param shareHost string

@description('Account of the NFS share.')
param shareAccount string

@description('Name of the NFS share.')
param shareName string

@description('Spread over zones. Fixed when the environment is made.')
param zoneRedundant bool

var gpuProfiles = empty(gpuProfile) ? [] : array({ name: 'gpu', workloadProfileType: gpuProfile })

resource logs 'Microsoft.OperationalInsights/workspaces@2026-03-01' existing = {
  name: logsName
}

resource apps 'Microsoft.App/managedEnvironments@2026-01-01' = {
  name: 'cae-${name}'
  location: location
  tags: tags
  properties: {
    zoneRedundant: zoneRedundant
    vnetConfiguration: {
      infrastructureSubnetId: subnetId
      internal: false
    }
    appLogsConfiguration: {
      destination: 'log-analytics'
      logAnalyticsConfiguration: {
        customerId: logs.properties.customerId
        sharedKey: logs.listKeys().primarySharedKey
      }
    }
    peerAuthentication: {
      mtls: {
        enabled: true
      }
    }
    workloadProfiles: concat(array({ name: 'Consumption', workloadProfileType: 'Consumption' }), gpuProfiles)
  }
}

resource models 'Microsoft.App/managedEnvironments/storages@2026-01-01' = if (!empty(shareHost)) {
  parent: apps
  name: 'models'
  properties: {
    nfsAzureFile: {
      accessMode: 'ReadWrite'
      server: shareHost
      shareName: '/${shareAccount}/${shareName}'
    }
  }
}

@description('Resource id of the environment.')
output environmentId string = apps.id

@description('Domain that apps of the environment are reached under.')
output domain string = apps.properties.defaultDomain
