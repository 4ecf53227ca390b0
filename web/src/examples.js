// What the page opens with, a tab each.

export const examples = [
  `# Sign in at the top of the page first:
# from then on, what runs here runs as you.
query Latest {
  accounts {
    nodes {
      name
      mask
      balances {
        current {
          amount
          currency
        }
      }
    }
  }
  transactions(first: 5) {
    nodes {
      date
      name
      amount {
        amount
        currency
      }
      account {
        name
      }
    }
  }
}
`,
  `# Runs until you stop it. The last lines of the demo
# show how to have the bank book something.
subscription News {
  transactionsChanged {
    cursor
    item {
      institution {
        name
      }
    }
    added
    modified
    removed
  }
}
`,
  `# Open hostedLinkUrl in another tab and choose a bank.
# In the sandbox, sign in as user_good with pass_good.
mutation LinkABank {
  createLinkToken {
    hostedLinkUrl
    expiration
    userErrors {
      message
    }
  }
}
`,
  `# The banks you have linked, and their latest syncs.
query Banks {
  items {
    nodes {
      id
      institution {
        name
      }
      linkStatus
      lastSyncedAt
      latestSyncJob {
        status
        progress {
          added
          modified
          removed
        }
        error {
          message
        }
      }
    }
  }
}
`,
  `# What an app does to sign in. The bar at the top
# does the same, and keeps the tokens.
mutation SignIn {
  login(input: { email: "ana@example.com", password: "sandbox-platypus" }) {
    accessToken
    accessTokenExpiresAt
    refreshToken
    userErrors {
      message
    }
  }
}
`,
];
