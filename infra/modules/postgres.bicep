// PostgreSQL Flexible Server with pgvector. It has no public address; it is reached by private endpoint.

@description('Region of the server.')
param location string

@description('Name of the server.')
param name string

@description('Tags of the server.')
param tags object

@description('Major version of PostgreSQL.')
@allowed([
  '15'
  '16'
  '17'
  '18'
])
param version string

@description('Compute size, for example Standard_D4ds_v5.')
param skuName string

@description('Family of the compute size.')
@allowed([
  'Burstable'
  'GeneralPurpose'
  'MemoryOptimized'
])
param skuTier string

@description('Disk, in GiB; it grows by itself and never shrinks.')
param storageGb int

@description('A standby that takes over: in another zone, in the same one, or none.')
@allowed([
  'Disabled'
  'SameZone'
  'ZoneRedundant'
])
param highAvailability string

@description('Days that a point in time can be restored.')
@minValue(7)
@maxValue(35)
param backupDays int

@description('Keep a copy of the backups in the paired region. Fixed when the server is made.')
param geoRedundantBackup bool

@description('Administrator that the application signs in as.')
param administrator string

@description('Password of the administrator; empty leaves the server\'s own as it is.')
@secure()
param password string = ''

resource server 'Microsoft.DBforPostgreSQL/flexibleServers@2025-08-01' = {
  name: name
  location: location
  tags: tags
  sku: {
    name: skuName
    tier: skuTier
  }
  properties: {
    version: version
    administratorLogin: administrator
    administratorLoginPassword: empty(password) ? null : password
    authConfig: {
      activeDirectoryAuth: 'Disabled'
      passwordAuth: 'Enabled'
    }
    storage: {
      storageSizeGB: storageGb
      autoGrow: 'Enabled'
    }
    backup: {
      backupRetentionDays: backupDays
      geoRedundantBackup: geoRedundantBackup ? 'Enabled' : 'Disabled'
    }
    // The type has no word for none. A standby that is there is ended by
    // `az postgres flexible-server update --high-availability Disabled`.
    highAvailability: highAvailability == 'Disabled' ? null : { mode: highAvailability }
    network: {
      publicNetworkAccess: 'Disabled'
    }
    maintenanceWindow: {
      customWindow: 'Enabled'
      dayOfWeek: 0
      startHour: 2
      startMinute: 0
    }
  }
}

// Parameters one after the other: the server refuses a change while another is under way.
resource extensions 'Microsoft.DBforPostgreSQL/flexibleServers/configurations@2025-08-01' = {
  parent: server
  name: 'azure.extensions'
  properties: {
    source: 'user-override'
    value: 'VECTOR'
  }
}

resource slowQueries 'Microsoft.DBforPostgreSQL/flexibleServers/configurations@2025-08-01' = {
  parent: server
  name: 'log_min_duration_statement'
  dependsOn: [
    extensions
  ]
  properties: {
    source: 'user-override'
    value: '1000'
  }
}

resource database 'Microsoft.DBforPostgreSQL/flexibleServers/databases@2025-08-01' = {
  parent: server
  name: 'parlour'
  dependsOn: [
    slowQueries
  ]
  properties: {
    charset: 'UTF8'
    collation: 'en_US.utf8'
  }
}

@description('Resource id of the server.')
output serverId string = server.id

@description('Host of the server.')
output host string = server.properties.fullyQualifiedDomainName

@description('Database of the application.')
output databaseName string = database.name
