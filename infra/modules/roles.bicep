// What the application's identity may do, each right on the one resource that it is about.

@description('Principal id of the application\'s identity.')
param principalId string

@description('Registry that images are pulled from.')
param registryName string

@description('Vault whose secrets are read; empty for none.')
param vaultName string = ''

@description('Storage account whose blobs are read and written; empty for none.')
param storageName string = ''

@description('Azure OpenAI account that is asked; empty for none.')
param openAIName string = ''

@description('Azure Monitor workspace that scaling asks; empty for none.')
param metricsName string = ''

var acrPull = '7f951dda-4ed3-4680-a7ca-43fe172d538d'
var secretsUser = '4633458b-17de-408a-b874-0445c86b69e6'
var blobContributor = 'ba92f5b4-2d11-453d-a403-e96b0029c9fe'
var openAIUser = '5e0bd9bd-7b93-4f28-af87-19fc36ad61bd'
var monitoringDataReader = 'b0d8363b-8ddd-447d-831f-62ca05bff136'
var definitions = 'Microsoft.Authorization/roleDefinitions'

resource registry 'Microsoft.ContainerRegistry/registries@2025-11-01' existing = {
  name: registryName
}

resource vault 'Microsoft.KeyVault/vaults@2026-02-01' existing = if (!empty(vaultName)) {
  name: empty(vaultName) ? 'none' : vaultName
}

resource storage 'Microsoft.Storage/storageAccounts@2026-04-01' existing = if (!empty(storageName)) {
  name: empty(storageName) ? 'none' : storageName
}

resource openAI 'Microsoft.CognitiveServices/accounts@2026-07-01' existing = if (!empty(openAIName)) {
  name: empty(openAIName) ? 'none' : openAIName
}

resource metrics 'Microsoft.Monitor/accounts@2025-10-03' existing = if (!empty(metricsName)) {
  name: empty(metricsName) ? 'none' : metricsName
}

resource pullImages 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(registry.id, principalId, acrPull)
  scope: registry
  properties: {
    principalId: principalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId(definitions, acrPull)
  }
}

resource readSecrets 'Microsoft.Authorization/roleAssignments@2022-04-01' = if (!empty(vaultName)) {
  name: guid(vault.id, principalId, secretsUser)
  scope: vault
  properties: {
    principalId: principalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId(definitions, secretsUser)
  }
}

resource writeBlobs 'Microsoft.Authorization/roleAssignments@2022-04-01' = if (!empty(storageName)) {
  name: guid(storage.id, principalId, blobContributor)
  scope: storage
  properties: {
    principalId: principalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId(definitions, blobContributor)
  }
}

resource askModels 'Microsoft.Authorization/roleAssignments@2022-04-01' = if (!empty(openAIName)) {
  name: guid(openAI.id, principalId, openAIUser)
  scope: openAI
  properties: {
    principalId: principalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId(definitions, openAIUser)
  }
}

resource readMetrics 'Microsoft.Authorization/roleAssignments@2022-04-01' = if (!empty(metricsName)) {
  name: guid(metrics.id, principalId, monitoringDataReader)
  scope: metrics
  properties: {
    principalId: principalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId(definitions, monitoringDataReader)
  }
}
