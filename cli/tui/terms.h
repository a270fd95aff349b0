/*
 * terms: the table of words that the dashboard uses for figures. What a tile or a column is called and what that means stand in one row; titles,
 * the help page and the manual are made from it.
 */
#ifndef STINT_CLI_TUI_TERMS_H
#define STINT_CLI_TUI_TERMS_H

#include <stint/base.h>

/* The first six are the tiles of the overview, in their order. */
#define TUI_TERMS(X)                                                                                \
	X(READY, "NODES READY", "nodes that run pods; bad: not ready, or silent; off: cordoned")    \
	X(HELD, "GPUS HELD", "devices that pods have, parts of devices as parts")                   \
	X(BUSY, "GPUS BUSY", "how much of those is used, in sum; silent ones do not tell")          \
	X(IDLE, "HELD, IDLE", "devices that somebody holds and uses for less than 5 %")             \
	X(FREE, "GPUS FREE", "unusable: in pieces or places that fit nothing that waits")           \
	X(WAITING, "WAITING", "workloads with a pod that has no place yet")                         \
	X(FAIR, "FAIR", "what the scheduler means a project to have as things stand; a bar's mark") \
	X(BORROWED, "BORROWED", "what a project has beyond its quota: others may take it back")     \
	X(LENT, "LENT", "of its quota what others have now, who may have to give it back")          \
	X(STARTS, "STARTS", "when the scheduler expects it to start at the latest; \"-\": not known")

#define TUI_TERM_ENUM(name, ...) TUI_TERM_##name,
enum tui_term { TUI_TERMS(TUI_TERM_ENUM) TUI_TERM_COUNT };

struct tui_term_row {
	const char *title, *meaning;
};
extern const struct tui_term_row tui_term_rows[TUI_TERM_COUNT];

/* One line per term: a paragraph of the manual. Freed by the caller. */
char *tui_terms_manual(void);

#endif
