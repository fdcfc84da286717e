// A premium NFS share for model weights, which outlives clusters and pods. NFS has no keys: who reaches the
// private endpoint reads it, so it has no public address at all.

@description('Region of the account.')
param location string

@description('Name of the account: lower-case letters and digits.')
param name string

@description('Tags of the account.')
param tags object

@description('Redundancy of the account.')
@allowed([
  'PremiumV2_LRS'
  'PremiumV2_ZRS'
])
param sku string

@description('Refuse mounts without TLS. The cluster\'s driver has it; Container Apps mounts without, inside the network.')
param encryptInTransit bool

@description('Size of the share, in GiB.')
@minValue(32)
param sizeGb int

resource account 'Microsoft.Storage/storageAccounts@2026-04-01' = {
  name: name
  location: location
  tags: tags
  kind: 'FileStorage'
  sku: {
    name: sku
  }
  properties: {
    allowBlobPublicAccess: false
    allowSharedKeyAccess: false
    minimumTlsVersion: 'TLS1_2'
    // For NFS 4.1 this is encryption in transit: a client without it is refused.
    supportsHttpsTrafficOnly: encryptInTransit
    publicNetworkAccess: 'Disabled'
    networkAcls: {
      defaultAction: 'Deny'
      bypass: 'None'
    }
  }
}

resource files 'Microsoft.Storage/storageAccounts/fileServices@2026-04-01' = {
  parent: account
  name: 'default'
  properties: {
    shareDeleteRetentionPolicy: {
      enabled: true
      days: 7
    }
  }
}

resource share 'Microsoft.Storage/storageAccounts/fileServices/shares@2026-04-01' = {
  parent: files
  name: 'models'
  properties: {
    enabledProtocols: 'NFS'
    // The containers that write weights do not run as root, and NFS knows numbers and not names.
    rootSquash: 'NoRootSquash'
    shareQuota: sizeGb
  }
}

@description('Resource id of the account.')
output accountId string = account.id

@description('Name of the account.')
output accountName string = account.name

@description('Name of the share.')
output shareName string = share.name

@description('Host that mounts name.')
output host string = '${account.name}.file.${environment().suffixes.storage}'
