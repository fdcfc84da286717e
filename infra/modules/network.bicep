// The virtual network: one subnet for each kind of tenant, and the address that traffic leaves from.

@description('Region of every resource here.')
param location string

@description('Name of the estate, used as the stem of resource names.')
param name string

@description('Tags of every resource here.')
param tags object

@description('Address space of the network, a /16.')
param addressPrefix string

@description('Leave through a NAT gateway (a fixed address, many ports) instead of the cluster\'s load balancer.')
param natGateway bool

@description('Principal that joins nodes and load balancers to the network: the cluster\'s identity.')
param clusterPrincipalId string

var networkContributor = '4d97b98b-1d4f-4787-a291-c67834d212e7'
var gateway = natGateway ? { id: nat.id } : null

resource nodesRules 'Microsoft.Network/networkSecurityGroups@2025-09-01' = {
  name: 'nsg-${name}-nodes'
  location: location
  tags: tags
  properties: {
    securityRules: [
      {
        name: 'AllowWeb'
        properties: {
          description: 'People reach the gateway; port 80 only redirects and answers certificate challenges.'
          priority: 100
          direction: 'Inbound'
          access: 'Allow'
          protocol: 'Tcp'
          sourceAddressPrefix: 'Internet'
          sourcePortRange: '*'
          destinationAddressPrefix: '*'
          destinationPortRanges: [
            '80'
            '443'
          ]
        }
      }
    ]
  }
}

resource endpointsRules 'Microsoft.Network/networkSecurityGroups@2025-09-01' = {
  name: 'nsg-${name}-endpoints'
  location: location
  tags: tags
  properties: {
    securityRules: [
      {
        name: 'AllowFromNetwork'
        properties: {
          description: 'Only workloads of this network reach the private endpoints.'
          priority: 100
          direction: 'Inbound'
          access: 'Allow'
          protocol: 'Tcp'
          sourceAddressPrefix: 'VirtualNetwork'
          sourcePortRange: '*'
          destinationAddressPrefix: 'VirtualNetwork'
          destinationPortRange: '*'
        }
      }
      {
        name: 'DenyTheRest'
        properties: {
          description: 'Nothing else does.'
          priority: 4000
          direction: 'Inbound'
          access: 'Deny'
          protocol: '*'
          sourceAddressPrefix: '*'
          sourcePortRange: '*'
          destinationAddressPrefix: '*'
          destinationPortRange: '*'
        }
      }
    ]
  }
}

resource egress 'Microsoft.Network/publicIPAddresses@2025-09-01' = if (natGateway) {
  name: 'pip-${name}-egress'
  location: location
  tags: tags
  sku: {
    name: 'Standard'
  }
  properties: {
    publicIPAllocationMethod: 'Static'
    publicIPAddressVersion: 'IPv4'
  }
}

resource nat 'Microsoft.Network/natGateways@2025-09-01' = if (natGateway) {
  name: 'ng-${name}'
  location: location
  tags: tags
  sku: {
    name: 'Standard'
  }
  properties: {
    idleTimeoutInMinutes: 10
    publicIpAddresses: [
      {
        id: egress.id
      }
    ]
  }
}

resource network 'Microsoft.Network/virtualNetworks@2025-09-01' = {
  name: 'vnet-${name}'
  location: location
  tags: tags
  properties: {
    addressSpace: {
      addressPrefixes: [
        addressPrefix
      ]
    }
    // Subnets stand here and not as children: a repeated deployment would otherwise remove them first.
    subnets: [
      {
        name: 'nodes'
        properties: {
          addressPrefix: cidrSubnet(addressPrefix, 20, 0)
          networkSecurityGroup: {
            id: nodesRules.id
          }
          natGateway: gateway
        }
      }
      {
        name: 'endpoints'
        properties: {
          addressPrefix: cidrSubnet(addressPrefix, 24, 16)
          networkSecurityGroup: {
            id: endpointsRules.id
          }
          privateEndpointNetworkPolicies: 'Enabled'
          defaultOutboundAccess: false
        }
      }
      {
        name: 'apps'
        properties: {
          addressPrefix: cidrSubnet(addressPrefix, 23, 9)
          natGateway: gateway
          delegations: [
            {
              name: 'container-apps'
              properties: {
                serviceName: 'Microsoft.App/environments'
              }
            }
          ]
        }
      }
    ]
  }
}

resource joinNetwork 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(network.id, clusterPrincipalId, networkContributor)
  scope: network
  properties: {
    principalId: clusterPrincipalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', networkContributor)
  }
}

// The driver of Azure Files opens the subnet to the share that it makes, and to change a subnet takes a right on what
// hangs on it.
resource joinRules 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(nodesRules.id, clusterPrincipalId, networkContributor)
  scope: nodesRules
  properties: {
    principalId: clusterPrincipalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', networkContributor)
  }
}

resource joinGateway 'Microsoft.Authorization/roleAssignments@2022-04-01' = if (natGateway) {
  name: guid(nat.id, clusterPrincipalId, networkContributor)
  scope: nat
  properties: {
    principalId: clusterPrincipalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', networkContributor)
  }
}

@description('Resource id of the network.')
output networkId string = network.id

@description('Resource id of the subnet for cluster nodes.')
output nodesSubnetId string = '${network.id}/subnets/nodes'

@description('Resource id of the subnet for private endpoints.')
output endpointsSubnetId string = '${network.id}/subnets/endpoints'

@description('Resource id of the subnet for Container Apps.')
output appsSubnetId string = '${network.id}/subnets/apps'
