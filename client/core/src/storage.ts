import type { Platform } from './platform'

/** How much room this phone has left, said before it is full. */
export interface StorageState {
  /** About how many photos can still be stored. */
  photosLeft: number
  /** `low`: say 手机空间只够再存约 n 张照片; `full`: take none before something was sent. */
  level: 'plenty' | 'low' | 'full'
  used: number
  limit: number
}

/** Bytes of a compressed photo, where this phone has none to take the measure of. */
const PHOTO = 400 * 1024
/** What drafts and notes need is kept free of photos. */
const RESERVE = 2 * 1024 * 1024
const FEW = 20

/** `photoSizes`: of the photos on this phone, in bytes. */
export async function storageState(
  { files }: Pick<Platform, 'files'>,
  photoSizes: readonly number[],
): Promise<StorageState> {
  const { used, limit } = await files.room()
  const usual = photoSizes.length === 0 ? PHOTO : photoSizes.reduce((sum, size) => sum + size, 0) / photoSizes.length
  const photosLeft = Math.max(0, Math.floor((limit - used - RESERVE) / Math.max(usual, 1)))
  return { photosLeft, level: photosLeft === 0 ? 'full' : photosLeft <= FEW ? 'low' : 'plenty', used, limit }
}
