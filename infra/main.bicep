// Parlour's estate in one subscription deployment. This file only wires modules: what a thing is stands in
// modules/, how large it is in params/. `infra/estate.py up` deploys it, safe to repeat.

targetScope = 'subscription'

@description('Start of every name.')
@minLength(3)
@maxLength(10)
param prefix string = 'parlour'

@description('Name of the environment: dev, prod, or one of yours.')
@minLength(2)
@maxLength(8)
param environmentName string = 'dev'

@description('Region of the estate.')
param location string = deployment().location

@description('Tags of every resource.')
param tags object = {}

@description('Where the application runs: Kubernetes, Container Apps, or a demo in Container Instances.')
@allowed([
  'aks'
  'aca'
  'aci'
])
param target string = 'aks'

@description('Entra groups that administer the cluster and Grafana.')
param adminGroupObjectIds array = []

@description('Zones that nodes, caches and servers are spread over; empty for none.')
param zones array = []

@description('Host that people type; empty for a name under the cloud\'s own domain.')
param hostName string = ''

@description('Kubernetes namespace of the application.')
param kubernetesNamespace string = 'parlour'

@description('Helm release of the application, which names its service accounts.')
param release string = 'parlour'

// Network

@description('Address space of the network, a /16.')
param addressPrefix string = '10.40.0.0/16'

@description('Leave through a NAT gateway with a fixed address.')
param natGateway bool = false

@description('Close the public addresses of Storage, Key Vault and Azure OpenAI. PostgreSQL and Redis never have one.')
param privateNetworking bool = false

@description('Keep the registry\'s public address for build agents outside the network.')
param registryPublicAccess bool = true

@description('Networks that may reach the Kubernetes API server; empty for any.')
param authorizedIpRanges array = []

// Kubernetes

@description('Minor version of Kubernetes. 1.36 is a long-term one.')
param kubernetesVersion string = '1.36'

@description('Free has no uptime agreement; Standard has.')
@allowed([
  'Free'
  'Standard'
  'Premium'
])
param clusterTier string = 'Free'

@description('Size of system nodes.')
param systemVmSize string = 'Standard_D2ds_v5'

@description('Fewest system nodes.')
param systemNodesMin int = 2

@description('Most system nodes.')
param systemNodesMax int = 4

@description('Size of the application\'s nodes.')
param userVmSize string = 'Standard_D8ds_v5'

@description('Fewest of the application\'s nodes; 0 runs it on the system nodes.')
param userNodesMin int = 0

@description('Most of the application\'s nodes.')
param userNodesMax int = 6

@description('GPU pools: `name`, `vmSize`, `spot`, `min` and `max`.')
param gpuPools array = []

@description('Encrypt temporary disks and caches of nodes, too. First: az feature register --namespace Microsoft.Compute --name EncryptionAtHost')
param encryptionAtHost bool = false

@description('KEDA add-on.')
param enableKeda bool = true

@description('KAITO add-on.')
param enableKaito bool = false

@description('Azure Policy add-on.')
param enableAzurePolicy bool = false

@description('AKS backup of the namespace.')
param enableClusterBackup bool = false

// Backing services

@description('Major version of PostgreSQL.')
param postgresVersion string = '18'

@description('Compute size of PostgreSQL.')
param postgresSku string = 'Standard_B1ms'

@description('Family of that size.')
@allowed([
  'Burstable'
  'GeneralPurpose'
  'MemoryOptimized'
])
param postgresTier string = 'Burstable'

@description('Disk of PostgreSQL, in GiB.')
param postgresStorageGb int = 32

@description('Standby of PostgreSQL. Burstable sizes have none.')
@allowed([
  'Disabled'
  'SameZone'
  'ZoneRedundant'
])
param postgresHighAvailability string = 'Disabled'

@description('Days that backups are kept: PostgreSQL, Blob and the cluster alike, so that they can be restored to one moment.')
@minValue(7)
@maxValue(35)
param backupDays int = 7

@description('Keep copies of backups in the paired region.')
param geoRedundantBackup bool = false

@description('Size of Redis. Clustering is off, so 25 GB is the most.')
param redisSku string = 'Balanced_B0'

@description('Keep a replica of Redis.')
param redisHighAvailability bool = false

@description('Redundancy of Blob.')
param storageSku string = 'Standard_LRS'

@description('Size of the NFS share with model weights, in GiB; 0 for none.')
param modelShareGb int = 0

@description('Redundancy of that share.')
param modelShareSku string = 'PremiumV2_LRS'

@description('Size of the registry\'s offer. Private networking needs Premium.')
param registrySku string = 'Basic'

@description('Refuse to purge the vault before its soft-delete days are over. It cannot be switched off again.')
param vaultPurgeProtection bool = false

// Models

@description('Make an Azure OpenAI account and let the application ask it.')
param enableOpenAI bool = false

@description('Its deployments: `name`, `model`, `version`, `sku` and `capacity`.')
param openAIDeployments array = []

@description('Base URL of an OpenAI-compatible server elsewhere; empty for none.')
param inferenceUrl string = ''

// Monitoring and money

@description('Managed Grafana.')
param enableGrafana bool = false

@description('Days that logs are kept.')
param logRetentionDays int = 30

@description('Gigabytes of logs a day at most; -1 for no cap.')
param logDailyCapGb int = 1

@description('Addresses that alerts and the budget are mailed to.')
param alertEmails array = []

@description('Address of docs/alerts.md as your people reach it, ending in `#`; each alert then links to its section.')
param runbookUrl string = ''

@description('Amount a month that the budget warns of, in the currency of the bill; 0 for no budget.')
param budgetAmount int = 0

@description('First day of the month in which the budget was made (YYYY-MM-01). It stays so: Azure refuses to move it.')
param budgetStartDate string = ''

// Container Apps and Container Instances

@description('Image of the application, by digest. Empty makes everything but the apps.')
param image string = ''

@description('Image of the embedding server, by digest.')
param embeddingsImage string = ''

@description('False updates the migration job and leaves the apps as they are.')
param deployApps bool = true

@description('Fewest web replicas of Container Apps; 0 sleeps until somebody comes.')
param webMinReplicas int = 0

@description('Most web replicas of Container Apps.')
param webMaxReplicas int = 4

@description('Most replicas of each worker of Container Apps.')
param workerMaxReplicas int = 4

@description('Serverless GPU profile of Container Apps; empty for none.')
param gpuProfile string = ''

@description('Image of the model server on it.')
param modelImage string = 'ollama/ollama:0.24.0'

@description('Model that it serves.')
param modelName string = 'qwen3:8b'

@description('Image of PostgreSQL in the demo.')
param demoPostgresImage string = 'pgvector/pgvector:0.8.2-pg18'

@description('Image of Redis in the demo.')
param demoRedisImage string = 'redis:8.2-alpine'

@description('Image of Caddy in the demo.')
param demoProxyImage string = 'caddy:2.10-alpine'

// Secrets, made by estate.py once and read from the vault afterwards

@description('Password to set on PostgreSQL; empty leaves it as it is.')
@secure()
param postgresPassword string = ''

@description('Django\'s SECRET_KEY; empty leaves it as it is.')
@secure()
param djangoSecretKey string = ''

var name = '${prefix}-${environmentName}'
var suffix = take(uniqueString(subscription().id, name), 6)
var compactName = '${prefix}${environmentName}${suffix}'
var groupName = 'rg-${name}'
var allTags = union({ application: 'parlour', environment: environmentName }, tags)
var isCluster = target == 'aks'
var clusterPools = target == 'aks' ? gpuPools : []
var isContainerApps = target == 'aca'
var isDemo = target == 'aci'
var hasBackends = !isDemo
var hasModelShare = hasBackends && modelShareGb > 0
var hasEndpoints = hasBackends && privateNetworking
var dnsLabel = '${name}-${suffix}'
var clusterHost = empty(hostName) ? '${dnsLabel}.${location}.cloudapp.azure.com' : hostName
var hasGpuApp = isContainerApps && !empty(gpuProfile)
var ownInferenceUrl = hasGpuApp ? 'http://model/v1' : inferenceUrl
var modelsUrl = enableOpenAI ? openAI.outputs.baseUrl : ownInferenceUrl
var deploymentNames = [for deployment in openAIDeployments: deployment.name]
var modelNames = enableOpenAI ? join(deploymentNames, ',') : ''
// Not a key: the word that makes the application sign in with its identity.
var modelsKey = enableOpenAI ? 'entra' : ''
var postgresUser = 'parlour'
var secretSettings = [
  {
    name: 'DATABASE_URL'
    secret: 'database-url'
    uri: isContainerApps ? secrets.outputs.databaseUrlUri : ''
  }
  {
    name: 'REDIS_URL'
    secret: 'redis-url'
    uri: isContainerApps ? secrets.outputs.redisUrlUri : ''
  }
  {
    name: 'SECRET_KEY'
    secret: 'secret-key'
    uri: isContainerApps ? secrets.outputs.secretKeyUri : ''
  }
]
var appsHost = isContainerApps ? 'web.${aca.outputs.domain}' : ''
var appsHosts = empty(hostName) ? appsHost : '${appsHost},${hostName}'
var appsOrigins = empty(hostName) ? 'https://${appsHost}' : 'https://${appsHost},https://${hostName}'
var appsSettings = [
  {
    name: 'PORT'
    value: '8000'
  }
  {
    name: 'HTTPS'
    value: 'true'
  }
  {
    // The environment's own proxy.
    name: 'TRUSTED_PROXY_COUNT'
    value: '1'
  }
  {
    name: 'LOG_FORMAT'
    value: 'json'
  }
  {
    name: 'ALLOWED_HOSTS'
    value: appsHosts
  }
  {
    name: 'CSRF_TRUSTED_ORIGINS'
    value: appsOrigins
  }
  {
    name: 'REDIS_PREFIX'
    value: 'parlour'
  }
  {
    name: 'AZURE_STORAGE_ACCOUNT'
    value: isContainerApps ? storage.outputs.accountName : ''
  }
  {
    name: 'AZURE_CLIENT_ID'
    value: identity.outputs.appClientId
  }
  {
    name: 'INFERENCE_URL'
    value: modelsUrl
  }
  {
    name: 'INFERENCE_API_KEY'
    value: modelsKey
  }
  {
    name: 'INFERENCE_MODELS'
    value: modelNames
  }
  {
    name: 'EMBEDDING_URL'
    value: empty(embeddingsImage) ? '' : 'http://embeddings/v1'
  }
]

resource group 'Microsoft.Resources/resourceGroups@2025-04-01' = {
  name: groupName
  location: location
  tags: allTags
}

module identity 'modules/identity.bicep' = {
  name: 'identity'
  scope: group
  params: {
    location: location
    name: name
    tags: allTags
  }
}

module registry 'modules/registry.bicep' = {
  name: 'registry'
  scope: group
  params: {
    location: location
    name: compactName
    tags: allTags
    sku: registrySku
    publicAccess: registryPublicAccess
  }
}

module network 'modules/network.bicep' = if (hasBackends) {
  name: 'network'
  scope: group
  params: {
    location: location
    name: name
    tags: allTags
    addressPrefix: addressPrefix
    natGateway: natGateway
    clusterPrincipalId: identity.outputs.clusterPrincipalId
  }
}

module monitoring 'modules/monitoring.bicep' = if (hasBackends) {
  name: 'monitoring'
  scope: group
  params: {
    location: location
    name: name
    tags: allTags
    retentionDays: logRetentionDays
    dailyCapGb: logDailyCapGb
  }
}

module keyVault 'modules/keyvault.bicep' = if (hasBackends) {
  name: 'keyvault'
  scope: group
  params: {
    location: location
    name: take('kv-${compactName}', 24)
    tags: allTags
    publicAccess: !privateNetworking
    softDeleteDays: 30
    purgeProtection: vaultPurgeProtection
  }
}

module storage 'modules/storage.bicep' = if (hasBackends) {
  name: 'storage'
  scope: group
  params: {
    location: location
    name: take('st${compactName}', 24)
    tags: allTags
    sku: storageSku
    publicAccess: !privateNetworking
    retentionDays: backupDays
  }
}

module modelShare 'modules/modelshare.bicep' = if (hasModelShare) {
  name: 'modelshare'
  scope: group
  params: {
    location: location
    name: take('md${compactName}', 24)
    tags: allTags
    sku: modelShareSku
    encryptInTransit: !isContainerApps
    sizeGb: modelShareGb
  }
}

module postgres 'modules/postgres.bicep' = if (hasBackends) {
  name: 'postgres'
  scope: group
  params: {
    location: location
    name: 'psql-${dnsLabel}'
    tags: allTags
    version: postgresVersion
    skuName: postgresSku
    skuTier: postgresTier
    storageGb: postgresStorageGb
    highAvailability: postgresHighAvailability
    backupDays: backupDays
    geoRedundantBackup: geoRedundantBackup
    administrator: postgresUser
    password: postgresPassword
  }
}

module redis 'modules/redis.bicep' = if (hasBackends) {
  name: 'redis'
  scope: group
  params: {
    location: location
    name: 'redis-${dnsLabel}'
    tags: allTags
    skuName: redisSku
    highAvailability: redisHighAvailability
  }
}

module secrets 'modules/secrets.bicep' = if (hasBackends) {
  name: 'secrets'
  scope: group
  params: {
    vaultName: take('kv-${compactName}', 24)
    redisName: redis.outputs.cacheName
    postgresHost: postgres.outputs.host
    postgresUser: postgresUser
    postgresDatabase: postgres.outputs.databaseName
    postgresPassword: postgresPassword
    djangoSecretKey: djangoSecretKey
    inferenceKey: modelsKey
  }
  dependsOn: [
    keyVault
  ]
}

module openAI 'modules/openai.bicep' = if (enableOpenAI) {
  name: 'openai'
  scope: group
  params: {
    location: location
    name: 'oai-${dnsLabel}'
    tags: allTags
    publicAccess: isDemo || !privateNetworking
    deployments: openAIDeployments
  }
}

module budget 'modules/budget.bicep' = if (budgetAmount > 0) {
  name: 'budget'
  scope: group
  params: {
    name: 'budget-${name}'
    amount: budgetAmount
    startDate: budgetStartDate
    emails: alertEmails
  }
}

module roles 'modules/roles.bicep' = {
  name: 'roles'
  scope: group
  params: {
    principalId: identity.outputs.appPrincipalId
    registryName: compactName
    vaultName: hasBackends ? take('kv-${compactName}', 24) : ''
    storageName: hasBackends ? storage.outputs.accountName : ''
    openAIName: enableOpenAI ? openAI.outputs.accountName : ''
    metricsName: hasBackends ? monitoring.outputs.metricsName : ''
  }
  dependsOn: [
    registry
    keyVault
  ]
}

// Private endpoints. PostgreSQL, Redis and the models' share always have one.

module postgresEndpoint 'modules/endpoint.bicep' = if (hasBackends) {
  name: 'endpoint-postgres'
  scope: group
  params: {
    location: location
    name: '${name}-postgres'
    tags: allTags
    networkId: network.outputs.networkId
    subnetId: network.outputs.endpointsSubnetId
    serviceId: postgres.outputs.serverId
    groupId: 'postgresqlServer'
    zoneName: 'privatelink.postgres.database.azure.com'
  }
}

module redisEndpoint 'modules/endpoint.bicep' = if (hasBackends) {
  name: 'endpoint-redis'
  scope: group
  params: {
    location: location
    name: '${name}-redis'
    tags: allTags
    networkId: network.outputs.networkId
    subnetId: network.outputs.endpointsSubnetId
    serviceId: redis.outputs.cacheId
    groupId: 'redisEnterprise'
    zoneName: 'privatelink.redis.azure.net'
  }
}

module modelShareEndpoint 'modules/endpoint.bicep' = if (hasModelShare) {
  name: 'endpoint-models'
  scope: group
  params: {
    location: location
    name: '${name}-models'
    tags: allTags
    networkId: network.outputs.networkId
    subnetId: network.outputs.endpointsSubnetId
    serviceId: modelShare.outputs.accountId
    groupId: 'file'
    zoneName: 'privatelink.file.${environment().suffixes.storage}'
  }
}

module storageEndpoint 'modules/endpoint.bicep' = if (hasEndpoints) {
  name: 'endpoint-blob'
  scope: group
  params: {
    location: location
    name: '${name}-blob'
    tags: allTags
    networkId: network.outputs.networkId
    subnetId: network.outputs.endpointsSubnetId
    serviceId: storage.outputs.accountId
    groupId: 'blob'
    zoneName: 'privatelink.blob.${environment().suffixes.storage}'
  }
}

module keyVaultEndpoint 'modules/endpoint.bicep' = if (hasEndpoints) {
  name: 'endpoint-vault'
  scope: group
  params: {
    location: location
    name: '${name}-vault'
    tags: allTags
    networkId: network.outputs.networkId
    subnetId: network.outputs.endpointsSubnetId
    serviceId: keyVault.outputs.vaultId
    groupId: 'vault'
    zoneName: 'privatelink.vaultcore.azure.net'
  }
}

module registryEndpoint 'modules/endpoint.bicep' = if (hasEndpoints) {
  name: 'endpoint-registry'
  scope: group
  params: {
    location: location
    name: '${name}-registry'
    tags: allTags
    networkId: network.outputs.networkId
    subnetId: network.outputs.endpointsSubnetId
    serviceId: registry.outputs.registryId
    groupId: 'registry'
    zoneName: 'privatelink.azurecr.io'
  }
}

module openAIEndpoint 'modules/endpoint.bicep' = if (hasEndpoints && enableOpenAI) {
  name: 'endpoint-openai'
  scope: group
  params: {
    location: location
    name: '${name}-openai'
    tags: allTags
    networkId: network.outputs.networkId
    subnetId: network.outputs.endpointsSubnetId
    serviceId: openAI.outputs.accountId
    groupId: 'account'
    zoneName: 'privatelink.openai.azure.com'
  }
}

// Kubernetes

module aks 'modules/aks.bicep' = if (isCluster) {
  name: 'aks'
  scope: group
  params: {
    location: location
    name: name
    tags: allTags
    kubernetesVersion: kubernetesVersion
    tier: clusterTier
    zones: zones
    encryptionAtHost: encryptionAtHost
    systemVmSize: systemVmSize
    systemNodesMin: systemNodesMin
    systemNodesMax: systemNodesMax
    userVmSize: userVmSize
    userNodesMin: userNodesMin
    userNodesMax: userNodesMax
    subnetId: network.outputs.nodesSubnetId
    natGateway: natGateway
    identityId: identity.outputs.clusterId
    adminGroupObjectIds: adminGroupObjectIds
    authorizedIpRanges: authorizedIpRanges
    logsId: monitoring.outputs.logsId
    keda: enableKeda
    kaito: enableKaito
    azurePolicy: enableAzurePolicy
  }
}

module gpuPool 'modules/gpupool.bicep' = [for pool in clusterPools: {
  name: 'gpupool-${pool.name}'
  scope: group
  params: {
    clusterName: aks.outputs.clusterName
    name: pool.name
    vmSize: pool.vmSize
    encryptionAtHost: encryptionAtHost
    spot: pool.spot
    minNodes: pool.min
    maxNodes: pool.max
    zones: []
    subnetId: network.outputs.nodesSubnetId
  }
}]

module clusterRoles 'modules/clusterroles.bicep' = if (isCluster) {
  name: 'clusterroles'
  scope: group
  params: {
    kubeletPrincipalId: aks.outputs.kubeletPrincipalId
    registryName: compactName
  }
  dependsOn: [
    registry
  ]
}

module federation 'modules/federation.bicep' = if (isCluster) {
  name: 'federation'
  scope: group
  params: {
    identityName: identity.outputs.appName
    issuerUrl: aks.outputs.issuerUrl
    serviceAccounts: [
      '${kubernetesNamespace}:${release}'
      '${kubernetesNamespace}:${release}-migrate'
      'kube-system:keda-operator'
    ]
  }
}

module prometheus 'modules/prometheus.bicep' = if (isCluster) {
  name: 'prometheus'
  scope: group
  params: {
    location: location
    name: name
    tags: allTags
    clusterName: aks.outputs.clusterName
    metricsId: monitoring.outputs.metricsId
    logsId: monitoring.outputs.logsId
    kubernetesNamespace: kubernetesNamespace
    alertEmails: alertEmails
    runbookUrl: runbookUrl
  }
}

module grafana 'modules/grafana.bicep' = if (isCluster && enableGrafana) {
  name: 'grafana'
  scope: group
  params: {
    location: location
    name: take('graf-${compactName}', 23)
    tags: allTags
    metricsId: monitoring.outputs.metricsId
    adminGroupObjectIds: adminGroupObjectIds
    zoneRedundant: !empty(zones)
  }
}

module backup 'modules/backup.bicep' = if (isCluster && enableClusterBackup) {
  name: 'backup'
  scope: group
  params: {
    location: location
    name: name
    tags: allTags
    clusterName: aks.outputs.clusterName
    clusterPrincipalId: identity.outputs.clusterPrincipalId
    storageName: storage.outputs.accountName
    namespaces: [
      kubernetesNamespace
    ]
    retentionDays: backupDays
    redundancy: geoRedundantBackup ? 'GeoRedundant' : 'LocallyRedundant'
  }
  // The extension writes to the account from inside the network.
  dependsOn: [
    storageEndpoint
  ]
}

// Container Apps

module aca 'modules/aca.bicep' = if (isContainerApps) {
  name: 'aca'
  scope: group
  params: {
    location: location
    name: name
    tags: allTags
    subnetId: network.outputs.appsSubnetId
    logsName: monitoring.outputs.logsName
    gpuProfile: gpuProfile
    shareHost: hasModelShare ? modelShare.outputs.host : ''
    shareAccount: hasModelShare ? modelShare.outputs.accountName : ''
    shareName: hasModelShare ? modelShare.outputs.shareName : ''
    zoneRedundant: !empty(zones)
  }
}

module acaJob 'modules/acajob.bicep' = if (isContainerApps && !empty(image)) {
  name: 'acajob'
  scope: group
  params: {
    location: location
    tags: allTags
    environmentId: aca.outputs.environmentId
    identityId: identity.outputs.appId
    registryServer: registry.outputs.loginServer
    image: image
    secretSettings: secretSettings
    settings: appsSettings
  }
  dependsOn: [
    roles
    postgresEndpoint
    redisEndpoint
    keyVaultEndpoint
  ]
}

module acaApps 'modules/acaapps.bicep' = if (isContainerApps && deployApps && !empty(image)) {
  name: 'acaapps'
  scope: group
  params: {
    location: location
    tags: allTags
    environmentId: aca.outputs.environmentId
    identityId: identity.outputs.appId
    registryServer: registry.outputs.loginServer
    image: image
    embeddingsImage: embeddingsImage
    modelImage: hasGpuApp ? modelImage : ''
    modelName: modelName
    keepModels: hasModelShare
    gpuProfile: gpuProfile
    redisHost: redis.outputs.host
    redisKeyUri: secrets.outputs.redisKeyUri
    secretSettings: secretSettings
    settings: appsSettings
    webMinReplicas: webMinReplicas
    webMaxReplicas: webMaxReplicas
    workerMaxReplicas: workerMaxReplicas
  }
  dependsOn: [
    roles
    postgresEndpoint
    redisEndpoint
    keyVaultEndpoint
    modelShareEndpoint
  ]
}

// Container Instances

module aci 'modules/aci.bicep' = if (isDemo && !empty(image)) {
  name: 'aci'
  scope: group
  params: {
    location: location
    name: name
    tags: allTags
    dnsLabel: dnsLabel
    identityId: identity.outputs.appId
    identityClientId: identity.outputs.appClientId
    registryServer: registry.outputs.loginServer
    image: image
    embeddingsImage: embeddingsImage
    postgresImage: demoPostgresImage
    redisImage: demoRedisImage
    proxyImage: demoProxyImage
    inferenceUrl: modelsUrl
    inferenceKey: modelsKey
    inferenceModels: modelNames
    postgresPassword: postgresPassword
    djangoSecretKey: djangoSecretKey
  }
  dependsOn: [
    roles
  ]
}

// What estate.py and the pipelines read. Names and addresses only: secrets stay in the vault.

@description('Where the application runs.')
output target string = target

@description('Resource group of the estate.')
output groupName string = groupName

@description('Host that people type.')
output hostName string = isCluster ? clusterHost : isContainerApps ? appsHost : '${dnsLabel}.${location}.azurecontainer.io'

@description('Label of the load balancer\'s public name.')
output dnsLabel string = dnsLabel

@description('Name of the registry.')
output registryName string = compactName

@description('Host of the registry.')
output registryServer string = registry.outputs.loginServer

@description('Client id of the application\'s identity.')
output appClientId string = identity.outputs.appClientId

@description('Tenant of the estate.')
output tenantId string = tenant().tenantId

@description('Name of the vault; empty in the demo.')
output vaultName string = hasBackends ? take('kv-${compactName}', 24) : ''

@description('Name of the storage account; empty in the demo.')
output storageName string = hasBackends ? storage.outputs.accountName : ''

@description('Name of the PostgreSQL server; empty in the demo.')
output postgresName string = hasBackends ? 'psql-${dnsLabel}' : ''

@description('Name of Redis; empty in the demo.')
output redisName string = hasBackends ? redis.outputs.cacheName : ''

@description('Name of the cluster; empty without one.')
output clusterName string = isCluster ? aks.outputs.clusterName : ''

@description('Kubernetes namespace of the application.')
output namespace string = kubernetesNamespace

@description('Helm release of the application.')
output release string = release

@description('Where Prometheus queries are asked; empty without a cluster.')
output prometheusUrl string = isCluster ? monitoring.outputs.prometheusUrl : ''

@description('Address of Grafana; empty without it.')
output grafanaUrl string = isCluster && enableGrafana ? grafana.outputs.url : ''

@description('Name of Grafana; empty without it.')
output grafanaName string = isCluster && enableGrafana ? take('graf-${compactName}', 23) : ''

@description('Base URL of the models; empty where the chart runs them or none is connected.')
output inferenceUrl string = modelsUrl

@description('Names of the models there, where their server does not list them.')
output inferenceModels string = modelNames

@description('Host of the share with model weights; empty for none.')
output modelShareHost string = hasModelShare ? modelShare.outputs.host : ''

@description('Export of the share with model weights; empty for none.')
output modelSharePath string = hasModelShare ? '/${modelShare.outputs.accountName}/${modelShare.outputs.shareName}' : ''
