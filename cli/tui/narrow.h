/*
 * narrow: for somebody who may not read the pods of all projects: which project they may look at. Asks for one after the other, a single
 * request each, and takes the first that is answered.
 */
#ifndef STINT_CLI_TUI_NARROW_H
#define STINT_CLI_TUI_NARROW_H

#include <stint/kube.h>

struct tui_narrow;
/*
 * names: NULL-ended; taken. on_end comes once, never from within start, with the name or NULL for none of them; the search is over then, and
 * is to be freed.
 */
struct tui_narrow *tui_narrow_start(struct stint_kube *kube, char **names, void (*on_end)(void *user, const char *name), void *user);
void tui_narrow_free(struct tui_narrow *narrow); /* NULL is fine; also while it searches */

#endif
