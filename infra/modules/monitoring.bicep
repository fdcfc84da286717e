// Where logs and metrics go: one Log Analytics workspace with a daily cap, one Azure Monitor workspace.

@description('Region of every resource here.')
param location string

@description('Name of the estate, used as the stem of resource names.')
param name string

@description('Tags of every resource here.')
param tags object

@description('Days that logs are kept.')
@minValue(30)
@maxValue(730)
param retentionDays int

@description('Gigabytes of logs a day after which ingestion stops until the next day; -1 for no cap.')
param dailyCapGb int

resource logs 'Microsoft.OperationalInsights/workspaces@2026-03-01' = {
  name: 'log-${name}'
  location: location
  tags: tags
  properties: {
    sku: {
      name: 'PerGB2018'
    }
    retentionInDays: retentionDays
    workspaceCapping: {
      dailyQuotaGb: dailyCapGb
    }
    features: {
      enableLogAccessUsingOnlyResourcePermissions: true
    }
  }
}

resource metrics 'Microsoft.Monitor/accounts@2025-10-03' = {
  name: 'amw-${name}'
  location: location
  tags: tags
  properties: {
    publicNetworkAccess: 'Enabled'
  }
}

@description('Resource id of the Log Analytics workspace.')
output logsId string = logs.id

@description('Name of the Log Analytics workspace.')
output logsName string = logs.name

@description('Resource id of the Azure Monitor workspace.')
output metricsId string = metrics.id

@description('Name of the Azure Monitor workspace.')
output metricsName string = metrics.name

@description('Where Prometheus queries are asked.')
output prometheusUrl string = metrics.properties.metrics.prometheusQueryEndpoint
