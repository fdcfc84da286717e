// Managed Grafana that reads the Azure Monitor workspace. The dashboards are the chart's.

@description('Region of the instance.')
param location string

@description('Name of the instance, 2 to 23 characters.')
param name string

@description('Tags of the instance.')
param tags object

@description('Resource id of the Azure Monitor workspace it reads.')
param metricsId string

@description('Entra groups that administer it.')
param adminGroupObjectIds array

@description('Spread over zones.')
param zoneRedundant bool

var grafanaAdmin = '22926164-76b3-42b3-bc55-97df8dab3e41'
var monitoringReader = '43d0d8ad-25c7-4714-9337-8ba259a9fe05'
var monitoringDataReader = 'b0d8363b-8ddd-447d-831f-62ca05bff136'

resource grafana 'Microsoft.Dashboard/grafana@2025-08-01' = {
  name: name
  location: location
  tags: tags
  sku: {
    name: 'Standard'
  }
  identity: {
    type: 'SystemAssigned'
  }
  properties: {
    apiKey: 'Disabled'
    publicNetworkAccess: 'Enabled'
    zoneRedundancy: zoneRedundant ? 'Enabled' : 'Disabled'
    grafanaIntegrations: {
      azureMonitorWorkspaceIntegrations: [
        {
          azureMonitorWorkspaceResourceId: metricsId
        }
      ]
    }
  }
}

resource metrics 'Microsoft.Monitor/accounts@2025-10-03' existing = {
  name: split(metricsId, '/')[8]
}

resource readMetrics 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(metrics.id, name, monitoringDataReader)
  scope: metrics
  properties: {
    principalId: grafana.identity.principalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', monitoringDataReader)
  }
}

resource readEstate 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(resourceGroup().id, name, monitoringReader)
  properties: {
    principalId: grafana.identity.principalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', monitoringReader)
  }
}

resource administer 'Microsoft.Authorization/roleAssignments@2022-04-01' = [for group in adminGroupObjectIds: {
  name: guid(grafana.id, group, grafanaAdmin)
  scope: grafana
  properties: {
    principalId: group
    principalType: 'Group'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', grafanaAdmin)
  }
}]

@description('Address of Grafana.')
output url string = grafana.properties.endpoint
