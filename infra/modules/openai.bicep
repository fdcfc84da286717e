// Azure OpenAI (Microsoft Foundry) with its deployments, asked by Entra identity: keys are switched off.

@description('Region of the account; models differ by region.')
param location string

@description('Name of the account, which is its host name, too.')
param name string

@description('Tags of the account.')
param tags object

@description('May the account be reached from outside the network?')
param publicAccess bool

@description('Deployments: `name`, `model`, `version`, `sku` (for example GlobalStandard) and `capacity` (thousands of tokens a minute).')
param deployments array

resource account 'Microsoft.CognitiveServices/accounts@2026-07-01' = {
  name: name
  location: location
  tags: tags
  kind: 'OpenAI'
  sku: {
    name: 'S0'
  }
  properties: {
    customSubDomainName: name
    disableLocalAuth: true
    publicNetworkAccess: publicAccess ? 'Enabled' : 'Disabled'
    networkAcls: {
      defaultAction: publicAccess ? 'Allow' : 'Deny'
    }
  }
}

// The account refuses two deployments made at the same time.
@batchSize(1)
resource models 'Microsoft.CognitiveServices/accounts/deployments@2026-07-01' = [for deployment in deployments: {
  parent: account
  name: deployment.name
  sku: {
    name: deployment.sku
    capacity: deployment.capacity
  }
  properties: {
    model: {
      format: 'OpenAI'
      name: deployment.model
      version: deployment.version
    }
    versionUpgradeOption: 'OnceCurrentVersionExpired'
  }
}]

@description('Resource id of the account.')
output accountId string = account.id

@description('Name of the account.')
output accountName string = account.name

@description('Base URL of the v1 API: Parlour\'s INFERENCE_URL.')
output baseUrl string = 'https://${name}.openai.azure.com/openai/v1/'
