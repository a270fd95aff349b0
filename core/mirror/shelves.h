/*
 * shelves: the volumes that nobody has, by storage class, and what claims of each form could get of them.
 *
 * The choices of a class and form (access, block or file system, attributes) are one sorted list for claims of all sizes, made again
 * at the first question after something on that shelf has changed: O(n log n) for n free volumes of the class, once for each form, and
 * O(log n) for each claim. A claim with a selector has a list of its own at each question. What a changed list costs the engine stays:
 * the pods that share it are one new shape, which is tried once on each node against its choices.
 */
#ifndef STINT_MIRROR_SHELVES_H
#define STINT_MIRROR_SHELVES_H

#include <stint/model.h>

struct shelves;
struct shelves *shelves_new(void);
void shelves_free(struct shelves *shelves);
/* A volume that names no claim comes and goes; it is borrowed meanwhile. O(1), O(volumes of the class) */
void shelves_put(struct shelves *shelves, struct stint_volume *volume);
void shelves_take(struct shelves *shelves, const struct stint_volume *volume);
/* The class itself has changed, or which of its volumes are being given away. */
void shelves_changed(struct shelves *shelves, const char *class);
/* What that claim of the class could get, less volumes whose name is in `given`. Counted for the caller. */
struct stint_reach_list *shelves_choices(
	struct shelves *shelves, struct stint_storage_class *class, const struct stint_volume_claim *claim, const struct stint_map *given);

#endif
