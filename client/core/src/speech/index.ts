/** What both clients say of dates, lights and filings: the same words on the phone and at the desk. */
export * from './dates'
export * from './filings'
export * from './lights'
