// The cluster with its system and user pools. GPU pools are gpupool.bicep's, one for each entry.

@description('Region of the cluster.')
param location string

@description('Name of the estate, used as the stem of resource names.')
param name string

@description('Tags of the cluster.')
param tags object

@description('Minor version of Kubernetes.')
param kubernetesVersion string

@description('Free has no uptime agreement; Standard has.')
@allowed([
  'Free'
  'Standard'
  'Premium'
])
param tier string

@description('Zones that nodes are spread over; empty where the region has none.')
param zones array

@description('Encrypt temporary disks and caches, too; the subscription must have the feature EncryptionAtHost.')
param encryptionAtHost bool

@description('Size of system nodes. It needs a local disk of 64 GiB, on which the system is put: faster, and free.')
param systemVmSize string

@description('Fewest system nodes.')
param systemNodesMin int

@description('Most system nodes.')
param systemNodesMax int

@description('Size of the nodes that the application runs on. It needs a local disk of 128 GiB.')
param userVmSize string

@description('Fewest of them; 0 puts the application on the system nodes, and makes no user pool.')
param userNodesMin int

@description('Most of them.')
param userNodesMax int

@description('Subnet of the nodes.')
param subnetId string

@description('Leave through the subnet\'s NAT gateway instead of the load balancer.')
param natGateway bool

@description('Resource id of the cluster\'s own identity.')
param identityId string

@description('Entra groups that administer the cluster. Local accounts are switched off.')
param adminGroupObjectIds array

@description('Networks that may reach the API server; empty for any.')
param authorizedIpRanges array

@description('Log Analytics workspace of container logs.')
param logsId string

@description('KEDA add-on, for scaling by queue and by GPU.')
param keda bool

@description('KAITO add-on. It makes GPU pools of its own, which `estate.py down` finds.')
param kaito bool

@description('Azure Policy add-on, for estates that are audited by it.')
param azurePolicy bool

var clusterAdmin = 'b1ff04bb-8a4e-4dc4-8eb5-8693973ce19b'
var hasUserPool = userNodesMin > 0
// KAITO's add-on does not run on Azure Linux.
var nodeSystem = kaito ? 'Ubuntu' : 'AzureLinux'

resource cluster 'Microsoft.ContainerService/managedClusters@2026-05-01' = {
  name: 'aks-${name}'
  location: location
  tags: tags
  sku: {
    name: 'Base'
    tier: tier
  }
  identity: {
    type: 'UserAssigned'
    userAssignedIdentities: {
      '${identityId}': {}
    }
  }
  properties: {
    kubernetesVersion: kubernetesVersion
    dnsPrefix: name
    nodeResourceGroup: 'rg-${name}-nodes'
    enableRBAC: true
    disableLocalAccounts: true
    aadProfile: {
      managed: true
      enableAzureRBAC: true
      adminGroupObjectIDs: adminGroupObjectIds
    }
    apiServerAccessProfile: {
      authorizedIPRanges: authorizedIpRanges
    }
    oidcIssuerProfile: {
      enabled: true
    }
    securityProfile: {
      workloadIdentity: {
        enabled: true
      }
      imageCleaner: {
        enabled: true
        intervalHours: 168
      }
    }
    agentPoolProfiles: [
      {
        name: 'system'
        mode: 'System'
        vmSize: systemVmSize
        osType: 'Linux'
        osSKU: nodeSystem
        type: 'VirtualMachineScaleSets'
        availabilityZones: zones
        vnetSubnetID: subnetId
        enableAutoScaling: true
        count: systemNodesMin
        minCount: systemNodesMin
        maxCount: systemNodesMax
        maxPods: 110
        osDiskType: 'Ephemeral'
        osDiskSizeGB: 64
        enableEncryptionAtHost: encryptionAtHost
        // With a user pool the system nodes are kept for the system.
        nodeTaints: hasUserPool ? [ 'CriticalAddonsOnly=true:NoSchedule' ] : []
        upgradeSettings: {
          maxSurge: '33%'
        }
      }
    ]
    networkProfile: {
      networkPlugin: 'azure'
      networkPluginMode: 'overlay'
      networkDataplane: 'cilium'
      networkPolicy: 'cilium'
      podCidr: '10.244.0.0/16'
      serviceCidr: '10.245.0.0/16'
      dnsServiceIP: '10.245.0.10'
      loadBalancerSku: 'standard'
      outboundType: natGateway ? 'userAssignedNATGateway' : 'loadBalancer'
    }
    autoScalerProfile: {
      expander: 'least-waste'
      'scale-down-unneeded-time': '10m'
      'skip-nodes-with-system-pods': 'false'
    }
    autoUpgradeProfile: {
      upgradeChannel: 'patch'
      nodeOSUpgradeChannel: 'NodeImage'
    }
    azureMonitorProfile: {
      metrics: {
        enabled: true
      }
    }
    addonProfiles: {
      azureKeyvaultSecretsProvider: {
        enabled: true
        config: {
          enableSecretRotation: 'true'
          rotationPollInterval: '2m'
        }
      }
      omsagent: {
        enabled: true
        config: {
          logAnalyticsWorkspaceResourceID: logsId
          useAADAuth: 'true'
        }
      }
      azurepolicy: {
        enabled: azurePolicy
      }
    }
    ingressProfile: {
      gatewayAPI: {
        installation: 'Standard'
      }
      webAppRouting: {
        enabled: true
        // Else the add-on brings an NGINX controller with a public address of its own, which nobody asks.
        nginx: {
          defaultIngressControllerType: 'None'
        }
        gatewayAPIImplementations: {
          appRoutingIstio: {
            mode: 'Enabled'
          }
        }
      }
    }
    workloadAutoScalerProfile: {
      keda: {
        enabled: keda
      }
    }
    aiToolchainOperatorProfile: {
      enabled: kaito
    }
    storageProfile: {
      blobCSIDriver: {
        enabled: true
      }
      fileCSIDriver: {
        enabled: true
      }
      diskCSIDriver: {
        enabled: true
      }
      snapshotController: {
        enabled: true
      }
    }
  }
}

resource userPool 'Microsoft.ContainerService/managedClusters/agentPools@2026-05-01' = if (hasUserPool) {
  parent: cluster
  name: 'user'
  properties: {
    mode: 'User'
    vmSize: userVmSize
    osType: 'Linux'
    osSKU: nodeSystem
    type: 'VirtualMachineScaleSets'
    availabilityZones: zones
    vnetSubnetID: subnetId
    enableAutoScaling: true
    count: userNodesMin
    minCount: userNodesMin
    maxCount: userNodesMax
    maxPods: 110
    osDiskType: 'Ephemeral'
    osDiskSizeGB: 128
    enableEncryptionAtHost: encryptionAtHost
    upgradeSettings: {
      maxSurge: '33%'
      // A stopping pod may go on with its replies; a node waits longer than that.
      drainTimeoutInMinutes: 30
    }
  }
}

resource upgrades 'Microsoft.ContainerService/managedClusters/maintenanceConfigurations@2026-05-01' = {
  parent: cluster
  name: 'aksManagedAutoUpgradeSchedule'
  properties: {
    maintenanceWindow: {
      durationHours: 6
      startTime: '01:00'
      utcOffset: '+00:00'
      schedule: {
        weekly: {
          intervalWeeks: 1
          dayOfWeek: 'Sunday'
        }
      }
    }
  }
}

resource nodeImages 'Microsoft.ContainerService/managedClusters/maintenanceConfigurations@2026-05-01' = {
  parent: cluster
  name: 'aksManagedNodeOSUpgradeSchedule'
  dependsOn: [
    upgrades
  ]
  properties: {
    maintenanceWindow: {
      durationHours: 6
      startTime: '01:00'
      utcOffset: '+00:00'
      schedule: {
        weekly: {
          intervalWeeks: 1
          dayOfWeek: 'Saturday'
        }
      }
    }
  }
}

resource administer 'Microsoft.Authorization/roleAssignments@2022-04-01' = [for group in adminGroupObjectIds: {
  name: guid(cluster.id, group, clusterAdmin)
  scope: cluster
  properties: {
    principalId: group
    principalType: 'Group'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', clusterAdmin)
  }
}]

@description('Name of the cluster.')
output clusterName string = cluster.name

@description('Resource id of the cluster.')
output clusterId string = cluster.id

@description('Issuer of the service accounts\' tokens.')
output issuerUrl string = cluster.properties.oidcIssuerProfile.issuerURL

@description('Principal id of the identity that pulls images onto nodes.')
output kubeletPrincipalId string = cluster.properties.identityProfile.kubeletidentity.objectId
