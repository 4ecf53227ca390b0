// What the components of a small app ask: a page of accounts, each with a list that loads more by
// itself, an item that follows its syncs, and a bank that can be removed.

import { graphql } from "relay-runtime";

export const HomeQuery = graphql`
  query appHomeQuery {
    viewer {
      id
      email
    }
    accounts(first: 10) @connection(key: "Home_accounts") {
      edges {
        node {
          id
          ...appAccountRow
          ...appTransactionList
        }
      }
    }
    items(first: 10) @connection(key: "Home_items") {
      edges {
        node {
          ...appItemStatus
        }
      }
    }
  }
`;

export const AccountRow = graphql`
  fragment appAccountRow on Account {
    name
    mask
    balances {
      current {
        amount
        currency
      }
    }
  }
`;

/** A component with this fragment loads more of its account, and nothing else anew. */
export const TransactionList = graphql`
  fragment appTransactionList on Account
  @argumentDefinitions(
    count: { type: "Int", defaultValue: 20 }
    cursor: { type: "String" }
    filter: { type: "AccountTransactionFilter" }
  )
  @refetchable(queryName: "appTransactionListPaginationQuery") {
    transactions(first: $count, after: $cursor, filter: $filter)
      @connection(key: "TransactionList_transactions", filters: ["filter"]) {
      edges {
        node {
          id
          date
          name
          amount {
            amount
            currency
          }
        }
      }
    }
  }
`;

export const ItemStatus = graphql`
  fragment appItemStatus on Item @refetchable(queryName: "appItemStatusRefetchQuery") {
    id
    linkStatus
    lastSyncedAt
    requiredAction {
      __typename
      ... on ReauthenticateAction {
        reason
      }
      ... on ConsentExpiringAction {
        expiresAt
      }
    }
    latestSyncJob {
      id
      status
    }
  }
`;

export const SyncItem = graphql`
  mutation appSyncItemMutation($input: SyncItemInput!) {
    syncItem(input: $input) {
      syncJob {
        id
        item {
          ...appItemStatus
        }
      }
      userErrors {
        code
        message
      }
    }
  }
`;

export const RemoveItem = graphql`
  mutation appRemoveItemMutation($input: RemoveItemInput!) {
    removeItem(input: $input) {
      removedItemId @deleteRecord
      userErrors {
        code
        message
      }
    }
  }
`;

export const SyncJobUpdated = graphql`
  subscription appSyncJobUpdatedSubscription($itemId: ID, $after: String) {
    syncJobUpdated(itemId: $itemId, after: $after) {
      cursor
      syncJob {
        id
        item {
          ...appItemStatus
        }
      }
    }
  }
`;
