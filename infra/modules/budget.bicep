// A monthly budget of the resource group that warns before it is spent. It stops nothing.

@description('Name of the budget.')
param name string

@description('Amount a month, in the currency of the bill.')
param amount int

@description('First day of the month in which the budget was made; Azure refuses to move it.')
param startDate string

@description('Addresses that are warned.')
param emails array

// Somebody has to be told, also where no address is named.
var owners = [
  'Owner'
]

resource budget 'Microsoft.Consumption/budgets@2024-08-01' = {
  name: name
  properties: {
    category: 'Cost'
    amount: amount
    timeGrain: 'Monthly'
    timePeriod: {
      startDate: startDate
    }
    notifications: {
      Spent80: {
        enabled: true
        operator: 'GreaterThanOrEqualTo'
        threshold: 80
        thresholdType: 'Actual'
        contactEmails: emails
        contactRoles: owners
      }
      Forecast100: {
        enabled: true
        operator: 'GreaterThanOrEqualTo'
        threshold: 100
        thresholdType: 'Forecasted'
        contactEmails: emails
        contactRoles: owners
      }
    }
  }
}
