// Lets Kubernetes service accounts act as the application's identity, without a secret anywhere.

@description('Name of the managed identity.')
param identityName string

@description('OIDC issuer of the cluster.')
param issuerUrl string

@description('Service accounts, each as `namespace:name`.')
param serviceAccounts array

resource identity 'Microsoft.ManagedIdentity/userAssignedIdentities@2024-11-30' existing = {
  name: identityName
}

// Azure refuses two credentials of one identity written at the same time.
@batchSize(1)
resource credentials 'Microsoft.ManagedIdentity/userAssignedIdentities/federatedIdentityCredentials@2024-11-30' = [for account in serviceAccounts: {
  parent: identity
  name: replace(account, ':', '-')
  properties: {
    issuer: issuerUrl
    subject: 'system:serviceaccount:${account}'
    audiences: [
      'api://AzureADTokenExchange'
    ]
  }
}]
