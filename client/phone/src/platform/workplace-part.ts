/** The part of the core that H5 fetches apart. */
export { Workplace } from '@gongpin/core'
