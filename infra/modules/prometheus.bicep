// Managed Prometheus and container logs of the cluster, and the alert rules. The rules are the chart's own
// files, the ones that `promtool test rules` proves, so that both flavours of monitoring warn alike.

@description('Region of every resource here.')
param location string

@description('Name of the estate, used as the stem of resource names.')
param name string

@description('Tags of every resource here.')
param tags object

@description('Name of the cluster.')
param clusterName string

@description('Resource id of the Azure Monitor workspace.')
param metricsId string

@description('Resource id of the Log Analytics workspace.')
param logsId string

@description('Namespace of the application, which the rules are about.')
param kubernetesNamespace string

@description('Addresses that alerts are mailed to; none makes alerts that only the portal shows.')
param alertEmails array

@description('Address of docs/alerts.md as people reach it, ending in `#`; empty leaves alerts without a link.')
param runbookUrl string

var ruleGroups = loadYamlContent('../../helm/rules/parlour.yaml').groups

resource cluster 'Microsoft.ContainerService/managedClusters@2026-05-01' existing = {
  name: clusterName
}

resource endpoint 'Microsoft.Insights/dataCollectionEndpoints@2024-03-11' = {
  name: 'dce-${name}'
  location: location
  tags: tags
  kind: 'Linux'
  properties: {
    networkAcls: {
      publicNetworkAccess: 'Enabled'
    }
  }
}

resource metricsRule 'Microsoft.Insights/dataCollectionRules@2024-03-11' = {
  name: 'dcr-${name}-metrics'
  location: location
  tags: tags
  kind: 'Linux'
  properties: {
    dataCollectionEndpointId: endpoint.id
    dataSources: {
      prometheusForwarder: [
        {
          name: 'prometheus'
          streams: [
            'Microsoft-PrometheusMetrics'
          ]
          labelIncludeFilter: {}
        }
      ]
    }
    destinations: {
      monitoringAccounts: [
        {
          name: 'metrics'
          accountResourceId: metricsId
        }
      ]
    }
    dataFlows: [
      {
        streams: [
          'Microsoft-PrometheusMetrics'
        ]
        destinations: [
          'metrics'
        ]
      }
    ]
  }
}

resource logsRule 'Microsoft.Insights/dataCollectionRules@2024-03-11' = {
  name: 'dcr-${name}-logs'
  location: location
  tags: tags
  kind: 'Linux'
  properties: {
    dataSources: {
      extensions: [
        {
          name: 'containers'
          extensionName: 'ContainerInsights'
          streams: [
            'Microsoft-ContainerLogV2'
            'Microsoft-KubeEvents'
            'Microsoft-KubePodInventory'
          ]
          extensionSettings: {
            dataCollectionSettings: {
              interval: '1m'
              // Names of system namespaces left out: their logs are most of the volume and none of the help.
              namespaceFilteringMode: 'Exclude'
              namespaces: [
                'kube-system'
                'gatekeeper-system'
              ]
              enableContainerLogV2: true
            }
          }
        }
      ]
    }
    destinations: {
      logAnalytics: [
        {
          name: 'logs'
          workspaceResourceId: logsId
        }
      ]
    }
    dataFlows: [
      {
        streams: [
          'Microsoft-ContainerLogV2'
          'Microsoft-KubeEvents'
          'Microsoft-KubePodInventory'
        ]
        destinations: [
          'logs'
        ]
      }
    ]
  }
}

resource metricsAssociation 'Microsoft.Insights/dataCollectionRuleAssociations@2024-03-11' = {
  name: 'metrics'
  scope: cluster
  properties: {
    description: 'Prometheus metrics of the cluster.'
    dataCollectionRuleId: metricsRule.id
  }
}

resource logsAssociation 'Microsoft.Insights/dataCollectionRuleAssociations@2024-03-11' = {
  name: 'ContainerInsightsExtension'
  scope: cluster
  properties: {
    description: 'Container logs of the cluster.'
    dataCollectionRuleId: logsRule.id
  }
}

resource people 'Microsoft.Insights/actionGroups@2023-01-01' = if (!empty(alertEmails)) {
  name: 'ag-${name}'
  location: 'global'
  tags: tags
  properties: {
    enabled: true
    groupShortName: take(name, 12)
    emailReceivers: [for email in alertEmails: {
      name: email
      emailAddress: email
      useCommonAlertSchema: true
    }]
  }
}

resource rules 'Microsoft.AlertsManagement/prometheusRuleGroups@2023-03-01' = [for group in ruleGroups: {
  name: '${name}-${group.name}'
  location: location
  tags: tags
  properties: {
    description: 'Alerts of the chart, group ${group.name}.'
    enabled: true
    clusterName: clusterName
    interval: 'PT1M'
    scopes: [
      metricsId
      cluster.id
    ]
    rules: [for rule in group.rules: {
      alert: rule.alert
      enabled: true
      expression: replace(rule.expr, 'namespace="parlour"', 'namespace="${kubernetesNamespace}"')
      // '5m' in the chart's file is 'PT5M' here, and none is at once. The compiler knows the file: some rules have none.
      for: contains(rule, 'for') ? 'PT${toUpper(any(rule).for)}' : 'PT0M'
      severity: rule.labels.severity == 'critical' ? 1 : 3
      labels: rule.labels
      annotations: empty(runbookUrl) ? rule.annotations : union(rule.annotations, { runbook_url: '${runbookUrl}${toLower(rule.alert)}' })
      actions: empty(alertEmails) ? [] : array({ actionGroupId: people.id })
      resolveConfiguration: {
        autoResolved: true
        timeToResolve: 'PT10M'
      }
    }]
  }
}]
