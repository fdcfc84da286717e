// Managed identities: what the application is to Azure, and what the cluster is.

@description('Region of every resource here.')
param location string

@description('Name of the estate, used as the stem of resource names.')
param name string

@description('Tags of every resource here.')
param tags object

resource app 'Microsoft.ManagedIdentity/userAssignedIdentities@2024-11-30' = {
  name: 'id-${name}-app'
  location: location
  tags: tags
}

resource cluster 'Microsoft.ManagedIdentity/userAssignedIdentities@2024-11-30' = {
  name: 'id-${name}-cluster'
  location: location
  tags: tags
}

@description('Name of the application\'s identity.')
output appName string = app.name

@description('Resource id of the application\'s identity.')
output appId string = app.id

@description('Client id that pods and containers name when they ask for a token.')
output appClientId string = app.properties.clientId

@description('Principal id that roles are given to.')
output appPrincipalId string = app.properties.principalId

@description('Resource id of the cluster\'s identity.')
output clusterId string = cluster.id

@description('Principal id of the cluster\'s identity.')
output clusterPrincipalId string = cluster.properties.principalId
