// A demo in one container group: Parlour with its own PostgreSQL and Redis on the group's loopback, Caddy in
// front for a certificate. Container Instances have no GPU any more, so answers come from `inferenceUrl`, or
// are quotes. Nothing survives a restart, and nothing but Caddy can be reached.

@description('Region of the group.')
param location string

@description('Name of the estate, used as the stem of resource names.')
param name string

@description('Tags of the group.')
param tags object

@description('Label of the public name: LABEL.REGION.azurecontainer.io.')
param dnsLabel string

@description('Resource id of the application\'s identity.')
param identityId string

@description('Client id of the application\'s identity.')
param identityClientId string

@description('Registry of the images.')
param registryServer string

@description('Image of the application, by digest.')
param image string

@description('Image of the embedding server, by digest.')
param embeddingsImage string

@description('Image of PostgreSQL with pgvector.')
param postgresImage string

@description('Image of Redis.')
param redisImage string

@description('Image of Caddy, which gets the certificate.')
param proxyImage string

@description('Base URL of an OpenAI-compatible server; empty for quotes.')
param inferenceUrl string

@description('`entra` to ask them with the identity; empty for none.')
param inferenceKey string

@description('Names of the models there, where their server does not list them.')
param inferenceModels string

@description('Password of the group\'s own PostgreSQL.')
@secure()
param postgresPassword string

@description('Django\'s SECRET_KEY.')
@secure()
param djangoSecretKey string

var hostName = '${dnsLabel}.${location}.azurecontainer.io'
var variables = [
  {
    name: 'ALLOWED_HOSTS'
    value: '${hostName},localhost'
  }
  {
    name: 'CSRF_TRUSTED_ORIGINS'
    value: 'https://${hostName}'
  }
  {
    name: 'HTTPS'
    value: 'true'
  }
  {
    // Caddy.
    name: 'TRUSTED_PROXY_COUNT'
    value: '1'
  }
  {
    name: 'DATA_DIR'
    value: '/data'
  }
  {
    name: 'REDIS_URL'
    value: 'redis://127.0.0.1:6379/0'
  }
  {
    name: 'EMBEDDING_URL'
    value: 'http://127.0.0.1:8080/v1'
  }
  {
    name: 'INFERENCE_URL'
    value: inferenceUrl
  }
  {
    name: 'INFERENCE_API_KEY'
    value: inferenceKey
  }
  {
    name: 'INFERENCE_MODELS'
    value: inferenceModels
  }
  {
    name: 'AZURE_CLIENT_ID'
    value: identityClientId
  }
  {
    name: 'DATABASE_URL'
    secureValue: 'postgresql://parlour:${uriComponent(postgresPassword)}@127.0.0.1:5432/parlour'
  }
  {
    name: 'SECRET_KEY'
    secureValue: djangoSecretKey
  }
]
var dataMounts = [
  {
    name: 'data'
    mountPath: '/data'
  }
]

resource group 'Microsoft.ContainerInstance/containerGroups@2026-07-01' = {
  name: 'ci-${name}'
  location: location
  tags: tags
  identity: {
    type: 'UserAssigned'
    userAssignedIdentities: {
      '${identityId}': {}
    }
  }
  properties: {
    sku: 'Standard'
    osType: 'Linux'
    restartPolicy: 'Always'
    imageRegistryCredentials: [
      {
        server: registryServer
        identity: identityId
      }
    ]
    ipAddress: {
      type: 'Public'
      dnsNameLabel: dnsLabel
      ports: [
        {
          protocol: 'TCP'
          port: 80
        }
        {
          protocol: 'TCP'
          port: 443
        }
      ]
    }
    volumes: [
      {
        name: 'data'
        emptyDir: {}
      }
    ]
    containers: [
      {
        name: 'proxy'
        properties: {
          image: proxyImage
          command: [
            'caddy'
            'reverse-proxy'
            '--from'
            hostName
            '--to'
            '127.0.0.1:8000'
          ]
          ports: [
            {
              protocol: 'TCP'
              port: 80
            }
            {
              protocol: 'TCP'
              port: 443
            }
          ]
          resources: {
            requests: {
              cpu: json('0.2')
              memoryInGB: json('0.2')
            }
          }
        }
      }
      {
        name: 'web'
        properties: {
          image: image
          command: [
            'sh'
            '-c'
            'until python manage.py prepare; do sleep 2; done; exec python manage.py serve --host 0.0.0.0'
          ]
          environmentVariables: variables
          volumeMounts: dataMounts
          livenessProbe: {
            initialDelaySeconds: 60
            periodSeconds: 15
            timeoutSeconds: 5
            failureThreshold: 8
            httpGet: {
              path: '/healthz'
              port: 8000
              scheme: 'http'
            }
          }
          resources: {
            requests: {
              cpu: json('0.8')
              memoryInGB: json('1.5')
            }
          }
        }
      }
      {
        name: 'worker'
        properties: {
          image: image
          // Beat runs inside the one worker; a demo has no second one that would double it.
          command: [
            'celery'
            '-A'
            'config'
            'worker'
            '-B'
            '-s'
            '/tmp/schedule'
            '-Q'
            'ingest,default'
            '--concurrency'
            '1'
          ]
          environmentVariables: variables
          volumeMounts: dataMounts
          resources: {
            requests: {
              cpu: json('0.8')
              memoryInGB: json('1.5')
            }
          }
        }
      }
      {
        name: 'embeddings'
        properties: {
          image: embeddingsImage
          resources: {
            requests: {
              cpu: json('1.0')
              memoryInGB: json('1.0')
            }
          }
        }
      }
      {
        name: 'postgres'
        properties: {
          image: postgresImage
          command: [
            'docker-entrypoint.sh'
            'postgres'
            '-c'
            'listen_addresses=127.0.0.1'
          ]
          environmentVariables: [
            {
              name: 'POSTGRES_USER'
              value: 'parlour'
            }
            {
              name: 'POSTGRES_PASSWORD'
              secureValue: postgresPassword
            }
          ]
          resources: {
            requests: {
              cpu: json('0.8')
              memoryInGB: json('1.0')
            }
          }
        }
      }
      {
        name: 'redis'
        properties: {
          image: redisImage
          command: [
            'redis-server'
            '--bind'
            '127.0.0.1'
            '--maxmemory-policy'
            'noeviction'
          ]
          resources: {
            requests: {
              cpu: json('0.2')
              memoryInGB: json('0.5')
            }
          }
        }
      }
    ]
  }
}

@description('Host that people type.')
output hostName string = hostName

@description('Name of the container group.')
output groupName string = group.name
