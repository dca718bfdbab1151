/** Figures that stand on the bottom bar and on home; whoever changes what they count sets them. */
import { ref } from 'vue'

/** Drafts of the person who is signed in (信息暂存). */
export const drafts = ref(0)
