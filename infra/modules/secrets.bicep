// The application's secret settings, written into the vault by Resource Manager: no one has to read them, and
// they work where the vault has no public address. An empty parameter leaves what is there alone.

@description('Name of the vault.')
param vaultName string

@description('Name of the Redis cluster whose key goes into `redis-url`.')
param redisName string

@description('Host of the PostgreSQL server.')
param postgresHost string

@description('Administrator of the PostgreSQL server.')
param postgresUser string

@description('Database of the application.')
param postgresDatabase string

@description('Password that was set on the server in this deployment.')
@secure()
param postgresPassword string = ''

@description('Django\'s SECRET_KEY.')
@secure()
param djangoSecretKey string = ''

@description('What stands where a model server\'s key would: `entra` asks with the identity; empty writes nothing.')
param inferenceKey string = ''

resource vault 'Microsoft.KeyVault/vaults@2026-02-01' existing = {
  name: vaultName
}

resource redis 'Microsoft.Cache/redisEnterprise@2025-07-01' existing = {
  name: redisName
}

resource redisDatabase 'Microsoft.Cache/redisEnterprise/databases@2025-07-01' existing = {
  parent: redis
  name: 'default'
}

resource databaseUrl 'Microsoft.KeyVault/vaults/secrets@2026-02-01' = if (!empty(postgresPassword)) {
  parent: vault
  name: 'database-url'
  properties: {
    contentType: 'DATABASE_URL'
    value: 'postgresql://${postgresUser}:${uriComponent(postgresPassword)}@${postgresHost}:5432/${postgresDatabase}?sslmode=require'
  }
}

resource redisUrl 'Microsoft.KeyVault/vaults/secrets@2026-02-01' = {
  parent: vault
  name: 'redis-url'
  properties: {
    contentType: 'REDIS_URL'
    // Database 0 is the only one that Azure Managed Redis has.
    value: 'rediss://:${uriComponent(redisDatabase.listKeys().primaryKey)}@${redis.properties.hostName}:10000/0?ssl_cert_reqs=required'
  }
}

// Container Apps' scaler asks for the length of queues with the bare key.
resource redisKey 'Microsoft.KeyVault/vaults/secrets@2026-02-01' = {
  parent: vault
  name: 'redis-key'
  properties: {
    contentType: 'Access key of Redis'
    value: redisDatabase.listKeys().primaryKey
  }
}

resource secretKey 'Microsoft.KeyVault/vaults/secrets@2026-02-01' = if (!empty(djangoSecretKey)) {
  parent: vault
  name: 'secret-key'
  properties: {
    contentType: 'SECRET_KEY'
    value: djangoSecretKey
  }
}

resource inferenceApiKey 'Microsoft.KeyVault/vaults/secrets@2026-02-01' = if (!empty(inferenceKey)) {
  parent: vault
  name: 'inference-api-key'
  properties: {
    contentType: 'INFERENCE_API_KEY'
    value: inferenceKey
  }
}

@description('Address of `database-url`, without a version.')
output databaseUrlUri string = '${vault.properties.vaultUri}secrets/database-url'

@description('Address of `redis-url`, without a version.')
output redisUrlUri string = '${vault.properties.vaultUri}secrets/redis-url'

@description('Address of `redis-key`, without a version.')
output redisKeyUri string = '${vault.properties.vaultUri}secrets/redis-key'

@description('Address of `secret-key`, without a version.')
output secretKeyUri string = '${vault.properties.vaultUri}secrets/secret-key'
