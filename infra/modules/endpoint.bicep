// One private endpoint with the DNS zone that makes a service's usual name lead to it.

@description('Region of the endpoint.')
param location string

@description('Name of the endpoint, for example the service\'s own name.')
param name string

@description('Tags of every resource here.')
param tags object

@description('Resource id of the network that resolves the name.')
param networkId string

@description('Resource id of the subnet that the endpoint stands in.')
param subnetId string

@description('Resource id of the service.')
param serviceId string

@description('Sub-resource of the service, for example `blob`.')
param groupId string

@description('Private DNS zone of the service, for example `privatelink.redis.azure.net`.')
param zoneName string

resource zone 'Microsoft.Network/privateDnsZones@2024-06-01' = {
  name: zoneName
  location: 'global'
  tags: tags
}

resource link 'Microsoft.Network/privateDnsZones/virtualNetworkLinks@2024-06-01' = {
  parent: zone
  name: 'estate'
  location: 'global'
  tags: tags
  properties: {
    registrationEnabled: false
    virtualNetwork: {
      id: networkId
    }
  }
}

resource endpoint 'Microsoft.Network/privateEndpoints@2025-09-01' = {
  name: 'pe-${name}'
  location: location
  tags: tags
  properties: {
    subnet: {
      id: subnetId
    }
    customNetworkInterfaceName: 'nic-${name}'
    privateLinkServiceConnections: [
      {
        name: groupId
        properties: {
          privateLinkServiceId: serviceId
          groupIds: [
            groupId
          ]
        }
      }
    ]
  }
}

resource records 'Microsoft.Network/privateEndpoints/privateDnsZoneGroups@2025-09-01' = {
  parent: endpoint
  name: 'default'
  properties: {
    privateDnsZoneConfigs: [
      {
        name: groupId
        properties: {
          privateDnsZoneId: zone.id
        }
      }
    ]
  }
}

@description('Resource id of the endpoint.')
output endpointId string = endpoint.id
