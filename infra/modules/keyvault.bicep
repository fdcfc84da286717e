// The vault, rights by role only. What is in it is written by secrets.bicep.

@description('Region of the vault.')
param location string

@description('Name of the vault.')
param name string

@description('Tags of the vault.')
param tags object

@description('May the vault be reached from outside the network?')
param publicAccess bool

@description('Days a deleted vault or secret can be brought back.')
@minValue(7)
@maxValue(90)
param softDeleteDays int

@description('Refuse to purge before those days are over. It cannot be switched off again.')
param purgeProtection bool

resource vault 'Microsoft.KeyVault/vaults@2026-02-01' = {
  name: name
  location: location
  tags: tags
  properties: {
    tenantId: tenant().tenantId
    sku: {
      family: 'A'
      name: 'standard'
    }
    enableRbacAuthorization: true
    enableSoftDelete: true
    softDeleteRetentionInDays: softDeleteDays
    enablePurgeProtection: purgeProtection ? true : null
    publicNetworkAccess: publicAccess ? 'Enabled' : 'Disabled'
    networkAcls: {
      defaultAction: publicAccess ? 'Allow' : 'Deny'
      bypass: 'AzureServices'
    }
  }
}

@description('Resource id of the vault.')
output vaultId string = vault.id

@description('Address of the vault.')
output vaultUri string = vault.properties.vaultUri
