// One pool of GPU nodes, from zero to `max`. AKS installs the driver; the device plugin and the DCGM exporter
// are the chart's (`gpuOperator`).

@description('Name of the cluster.')
param clusterName string

@description('Name of the pool: up to 12 lower-case letters and digits.')
@maxLength(12)
param name string

@description('Size of the nodes, for example Standard_NC24ads_A100_v4.')
param vmSize string

@description('Cheaper nodes that can be taken away at any time. Fixed when the pool is made.')
param spot bool

@description('Fewest nodes; 0 costs nothing while nobody asks.')
param minNodes int

@description('Most nodes.')
param maxNodes int

@description('Zones of the nodes; empty where the size is in none.')
param zones array

@description('Subnet of the nodes.')
param subnetId string

@description('Encrypt temporary disks and caches, too; the subscription must have the feature EncryptionAtHost.')
param encryptionAtHost bool

@description('Disk of a node, in GiB: images of inference servers are tens of them.')
param diskGb int = 256

resource cluster 'Microsoft.ContainerService/managedClusters@2026-05-01' existing = {
  name: clusterName
}

resource pool 'Microsoft.ContainerService/managedClusters/agentPools@2026-05-01' = {
  parent: cluster
  name: name
  properties: {
    mode: 'User'
    vmSize: vmSize
    osType: 'Linux'
    osSKU: 'Ubuntu'
    osDiskSizeGB: diskGb
    type: 'VirtualMachineScaleSets'
    availabilityZones: zones
    vnetSubnetID: subnetId
    enableAutoScaling: true
    maxPods: 110
    enableEncryptionAtHost: encryptionAtHost
    count: minNodes
    minCount: minNodes
    maxCount: maxNodes
    scaleSetPriority: spot ? 'Spot' : 'Regular'
    scaleSetEvictionPolicy: spot ? 'Delete' : null
    // -1 pays up to the regular price, so that only a lack of capacity evicts.
    spotMaxPrice: spot ? -1 : null
    gpuProfile: {
      driver: 'Install'
    }
    // AKS adds the label and the taint of spot by itself.
    nodeTaints: [
      'sku=gpu:NoSchedule'
    ]
    upgradeSettings: {
      drainTimeoutInMinutes: 30
    }
  }
}

@description('Name of the pool.')
output poolName string = pool.name
