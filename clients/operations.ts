// What the programs ask. `npm run generate` reads it and writes the types to `gql/`.

import { graphql } from "./gql/gql.ts";

export const Register = graphql(`
  mutation Register($input: RegisterInput!) {
    register(input: $input) {
      accessToken
      refreshToken
      userErrors { code message }
    }
  }
`);

export const RefreshSession = graphql(`
  mutation RefreshSession($input: RefreshSessionInput!) {
    refreshSession(input: $input) {
      accessToken
      refreshToken
      userErrors { code message }
    }
  }
`);

export const Logout = graphql(`
  mutation Logout {
    logout {
      userErrors { code message }
    }
  }
`);

export const IdentityProviders = graphql(`
  query IdentityProviders {
    identityProviders { id name }
  }
`);

export const StartSocialLogin = graphql(`
  mutation StartSocialLogin($input: StartSocialLoginInput!) {
    startSocialLogin(input: $input) {
      authorizationUrl
      userErrors { code message }
    }
  }
`);

export const CompleteSocialLogin = graphql(`
  mutation CompleteSocialLogin($input: CompleteSocialLoginInput!) {
    completeSocialLogin(input: $input) {
      accessToken
      user { id email firstName identities { id provider issuer email } }
      userErrors { code message }
    }
  }
`);

export const LinkIdentity = graphql(`
  mutation LinkIdentity($input: LinkIdentityInput!) {
    linkIdentity(input: $input) {
      identity { id email }
      userErrors { code message }
    }
  }
`);

export const UnlinkIdentity = graphql(`
  mutation UnlinkIdentity($input: UnlinkIdentityInput!) {
    unlinkIdentity(input: $input) {
      unlinkedIdentityId
      userErrors { code message }
    }
  }
`);

export const Viewer = graphql(`
  query Viewer {
    viewer { id email identities { id email } }
  }
`);

export const ExchangePublicToken = graphql(`
  mutation ExchangePublicToken($input: ExchangePublicTokenInput!) {
    exchangePublicToken(input: $input) {
      item { id }
      syncJob { id }
      userErrors { code message }
    }
  }
`);

export const Transactions = graphql(`
  query Transactions($first: Int!, $after: String) {
    transactions(first: $first, after: $after) {
      edges {
        cursor
        node { ...TransactionRow }
      }
      pageInfo { hasNextPage endCursor }
    }
  }

  fragment TransactionRow on Transaction {
    id
    date
    name
    pending
    amount { amount currency }
    account { id name }
  }
`);

export const LatestSync = graphql(`
  query LatestSync($itemId: ID!) {
    item(id: $itemId) {
      id
      lastSyncedAt
      latestSyncJob { ...SyncJobRow }
    }
  }

  fragment SyncJobRow on SyncJob {
    id
    status
    trigger
    finishedAt
    progress { pages added modified removed }
  }
`);

export const SyncItem = graphql(`
  mutation SyncItem($input: SyncItemInput!) {
    syncItem(input: $input) {
      syncJob {
        ...SyncJobRow
        item {
          id
          latestSyncJob { id }
        }
      }
      userErrors { code message }
    }
  }
`);

export const SyncJobUpdated = graphql(`
  subscription SyncJobUpdated($syncJobId: ID, $itemId: ID, $after: String) {
    syncJobUpdated(syncJobId: $syncJobId, itemId: $itemId, after: $after) {
      cursor
      syncJob {
        ...SyncJobRow
        item { id lastSyncedAt }
      }
    }
  }
`);

export const ItemUpdated = graphql(`
  subscription ItemUpdated($itemId: ID, $after: String) {
    itemUpdated(itemId: $itemId, after: $after) {
      cursor
      item { id linkStatus lastSyncedAt }
    }
  }
`);

export const TransactionsChanged = graphql(`
  subscription TransactionsChanged($after: String) {
    transactionsChanged(after: $after) {
      cursor
      added
      modified
      removed
      item { id }
    }
  }
`);

export const ExchangeRateUpdated = graphql(`
  subscription ExchangeRateUpdated($base: CurrencyCode!, $quote: CurrencyCode!) {
    exchangeRateUpdated(base: $base, quote: $quote) { id rate providerTime source }
  }
`);

export const RefreshExchangeRate = graphql(`
  mutation RefreshExchangeRate($input: RefreshExchangeRateInput!) {
    refreshExchangeRate(input: $input) {
      exchangeRate { id rate }
      userErrors { code message retryAfterSeconds }
    }
  }
`);

export const ExchangeRates = graphql(`
  query ExchangeRates($base: CurrencyCode!, $quote: CurrencyCode!, $first: Int) {
    exchangeRates(base: $base, quote: $quote, first: $first) { nodes { id rate providerTime } }
  }
`);

export const Institutions = graphql(`
  query Institutions($provider: Provider!, $search: String!) {
    institutions(provider: $provider, search: $search, first: 1) {
      nodes {
        id
        code
        credentialFields { id name label kind }
      }
    }
  }
`);

export const LinkInstitution = graphql(`
  mutation LinkInstitution($input: LinkInstitutionInput!) {
    linkInstitution(input: $input) {
      item { id linkStatus }
      userErrors { code message }
    }
  }
`);

export const ItemStands = graphql(`
  subscription ItemStands($itemId: ID!) {
    itemUpdated(itemId: $itemId) {
      cursor
      item {
        id
        linkStatus
        transactionsStatus
        linkErrorMessage
        requiredAction {
          __typename
          ... on AnswerChallengeAction {
            expiresAt
            challenges { id label kind image options { value label image } }
          }
        }
      }
    }
  }
`);

export const AnswerChallenge = graphql(`
  mutation AnswerChallenge($input: AnswerChallengeInput!) {
    answerChallenge(input: $input) {
      item { id linkStatus }
      userErrors { code message }
    }
  }
`);

export const CreateLinkToken = graphql(`
  mutation CreateLinkToken($input: CreateLinkTokenInput) {
    createLinkToken(input: $input) {
      hostedLinkUrl
      userErrors { code message }
    }
  }
`);
