// AKS backup: the objects and disks of Parlour's namespace, once a day, into a backup vault.
// The database and Blob have backups of their own; see docs/backup-and-recovery.md for what is where.

@description('Region of every resource here.')
param location string

@description('Name of the estate, used as the stem of resource names.')
param name string

@description('Tags of every resource here.')
param tags object

@description('Name of the cluster.')
param clusterName string

@description('Principal id of the cluster\'s own identity, which takes the snapshots of disks.')
param clusterPrincipalId string

@description('Storage account with the container `backups`.')
param storageName string

@description('Namespaces that are kept.')
param namespaces array

@description('Days that a backup is kept.')
@minValue(7)
@maxValue(360)
param retentionDays int

@description('Redundancy of the backup vault.')
@allowed([
  'LocallyRedundant'
  'ZoneRedundant'
  'GeoRedundant'
])
param redundancy string

var blobContributor = 'ba92f5b4-2d11-453d-a403-e96b0029c9fe'
var contributor = 'b24988ac-6180-42a0-ab88-20f7382dd24c'
var reader = 'acdd72a7-3385-48ef-bd42-f606fba81ae7'
var definitions = 'Microsoft.Authorization/roleDefinitions'

resource cluster 'Microsoft.ContainerService/managedClusters@2026-05-01' existing = {
  name: clusterName
}

resource storage 'Microsoft.Storage/storageAccounts@2026-04-01' existing = {
  name: storageName
}

resource vault 'Microsoft.DataProtection/backupVaults@2026-06-01' = {
  name: 'bv-${name}'
  location: location
  tags: tags
  identity: {
    type: 'SystemAssigned'
  }
  properties: {
    storageSettings: [
      {
        datastoreType: 'VaultStore'
        type: redundancy
      }
    ]
    securitySettings: {
      softDeleteSettings: {
        state: 'On'
        retentionDurationInDays: 14
      }
    }
  }
}

resource policy 'Microsoft.DataProtection/backupVaults/backupPolicies@2026-06-01' = {
  parent: vault
  name: 'daily'
  properties: {
    objectType: 'BackupPolicy'
    datasourceTypes: [
      'Microsoft.ContainerService/managedClusters'
    ]
    policyRules: [
      {
        objectType: 'AzureBackupRule'
        name: 'Daily'
        backupParameters: {
          objectType: 'AzureBackupParams'
          backupType: 'Incremental'
        }
        dataStore: {
          objectType: 'DataStoreInfoBase'
          dataStoreType: 'OperationalStore'
        }
        trigger: {
          objectType: 'ScheduleBasedTriggerContext'
          schedule: {
            repeatingTimeIntervals: [
              'R/2026-01-01T03:00:00+00:00/P1D'
            ]
            timeZone: 'UTC'
          }
          taggingCriteria: [
            {
              isDefault: true
              taggingPriority: 99
              tagInfo: {
                tagName: 'Default'
              }
            }
          ]
        }
      }
      {
        objectType: 'AzureRetentionRule'
        name: 'Default'
        isDefault: true
        lifecycles: [
          {
            deleteAfter: {
              objectType: 'AbsoluteDeleteOption'
              duration: 'P${retentionDays}D'
            }
            sourceDataStore: {
              objectType: 'DataStoreInfoBase'
              dataStoreType: 'OperationalStore'
            }
          }
        ]
      }
    ]
  }
}

resource extension 'Microsoft.KubernetesConfiguration/extensions@2025-03-01' = {
  name: 'azure-aks-backup'
  scope: cluster
  identity: {
    type: 'SystemAssigned'
  }
  properties: {
    extensionType: 'microsoft.dataprotection.kubernetes'
    autoUpgradeMinorVersion: true
    releaseTrain: 'stable'
    scope: {
      cluster: {
        releaseNamespace: 'dataprotection-microsoft'
      }
    }
    configurationSettings: {
      'configuration.backupStorageLocation.bucket': 'backups'
      'configuration.backupStorageLocation.config.resourceGroup': resourceGroup().name
      'configuration.backupStorageLocation.config.storageAccount': storageName
      'configuration.backupStorageLocation.config.subscriptionId': subscription().subscriptionId
      'configuration.backupStorageLocation.config.useAAD': 'true'
      'configuration.backupStorageLocation.config.storageAccountURI': storage.properties.primaryEndpoints.blob
      'credentials.tenantId': tenant().tenantId
    }
  }
}

resource trust 'Microsoft.ContainerService/managedClusters/trustedAccessRoleBindings@2026-05-01' = {
  parent: cluster
  name: 'backup'
  properties: {
    sourceResourceId: vault.id
    roles: [
      'Microsoft.DataProtection/backupVaults/backup-operator'
    ]
  }
}

resource extensionWrites 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(storage.id, extension.id, blobContributor)
  scope: storage
  properties: {
    principalId: extension.properties.aksAssignedIdentity.principalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId(definitions, blobContributor)
  }
}

resource vaultReadsCluster 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(cluster.id, vault.id, reader)
  scope: cluster
  properties: {
    principalId: vault.identity.principalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId(definitions, reader)
  }
}

resource vaultReadsGroup 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(resourceGroup().id, vault.id, reader)
  properties: {
    principalId: vault.identity.principalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId(definitions, reader)
  }
}

// Snapshots of disks are made in this resource group.
resource clusterSnapshots 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(resourceGroup().id, clusterPrincipalId, contributor)
  properties: {
    principalId: clusterPrincipalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId(definitions, contributor)
  }
}

resource instance 'Microsoft.DataProtection/backupVaults/backupInstances@2026-06-01' = {
  parent: vault
  name: clusterName
  dependsOn: [
    trust
    extensionWrites
    vaultReadsCluster
    vaultReadsGroup
    clusterSnapshots
  ]
  properties: {
    objectType: 'BackupInstance'
    friendlyName: clusterName
    dataSourceInfo: {
      objectType: 'Datasource'
      datasourceType: 'Microsoft.ContainerService/managedClusters'
      resourceID: cluster.id
      resourceLocation: location
      resourceName: clusterName
      resourceType: 'Microsoft.ContainerService/managedClusters'
      resourceUri: cluster.id
    }
    dataSourceSetInfo: {
      objectType: 'DatasourceSet'
      datasourceType: 'Microsoft.ContainerService/managedClusters'
      resourceID: cluster.id
      resourceLocation: location
      resourceName: clusterName
      resourceType: 'Microsoft.ContainerService/managedClusters'
      resourceUri: cluster.id
    }
    policyInfo: {
      policyId: policy.id
      policyParameters: {
        backupDatasourceParametersList: [
          {
            objectType: 'KubernetesClusterBackupDatasourceParameters'
            includeClusterScopeResources: true
            includedNamespaces: namespaces
            snapshotVolumes: true
          }
        ]
        dataStoreParametersList: [
          {
            objectType: 'AzureOperationalStoreParameters'
            dataStoreType: 'OperationalStore'
            resourceGroupId: resourceGroup().id
          }
        ]
      }
    }
  }
}

@description('Name of the backup vault.')
output vaultName string = vault.name
