// The container registry: images by digest, no admin account.

@description('Region of the registry.')
param location string

@description('Name of the registry: letters and digits.')
param name string

@description('Tags of the registry.')
param tags object

@description('Basic for a demo; Premium for private endpoints, zones and retention.')
@allowed([
  'Basic'
  'Standard'
  'Premium'
])
param sku string

@description('May the registry be reached from outside the network? Hosted build agents need it; every pull and push still needs an Entra identity.')
param publicAccess bool

resource registry 'Microsoft.ContainerRegistry/registries@2025-11-01' = {
  name: name
  location: location
  tags: tags
  sku: {
    name: sku
  }
  properties: {
    adminUserEnabled: false
    anonymousPullEnabled: false
    publicNetworkAccess: publicAccess ? 'Enabled' : 'Disabled'
    networkRuleBypassOptions: 'AzureServices'
    policies: {
      retentionPolicy: {
        status: sku == 'Premium' ? 'enabled' : 'disabled'
        days: 30
      }
    }
  }
}

@description('Resource id of the registry.')
output registryId string = registry.id

@description('Host name of the registry.')
output loginServer string = registry.properties.loginServer
