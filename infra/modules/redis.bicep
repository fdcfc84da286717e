// Azure Managed Redis. It has no public address; it is reached by private endpoint on TLS port 10000.

@description('Region of the cache.')
param location string

@description('Name of the cache.')
param name string

@description('Tags of the cache.')
param tags object

@description('Size, for example Balanced_B0. Sizes past 25 GB cannot run without clustering.')
param skuName string

@description('Keep a replica.')
param highAvailability bool

resource cache 'Microsoft.Cache/redisEnterprise@2025-07-01' = {
  name: name
  location: location
  tags: tags
  sku: {
    name: skuName
  }
  properties: {
    highAvailability: highAvailability ? 'Enabled' : 'Disabled'
    minimumTlsVersion: '1.2'
    publicNetworkAccess: 'Disabled'
  }
}

resource database 'Microsoft.Cache/redisEnterprise/databases@2025-07-01' = {
  parent: cache
  name: 'default'
  properties: {
    // Celery publishes in MULTI over keys of several slots: a clustered database answers CROSSSLOT.
    clusteringPolicy: 'NoCluster'
    clientProtocol: 'Encrypted'
    port: 10000
    // Reply logs and the task queue are data: refuse writes when full instead of dropping them.
    evictionPolicy: 'NoEviction'
    accessKeysAuthentication: 'Enabled'
  }
}

@description('Resource id of the cache.')
output cacheId string = cache.id

@description('Name of the cache.')
output cacheName string = cache.name

@description('Host of the cache.')
output host string = cache.properties.hostName
