/* common: how figures and states are written in all views. What is unknown is "?" or "unknown", dim; never 0. */
#ifndef STINT_CLI_TUI_VIEWS_COMMON_H
#define STINT_CLI_TUI_VIEWS_COMMON_H

#include "cli/tui/app.h"

enum { VIEW_WORD = 64 };

enum tui_role view_phase_role(enum stint_workload_phase phase);
enum tui_role view_node_role(const struct stint_node *node);
/* "3m12s" since a time; "?" when it is not known. */
void view_age(struct tui_field *out, int64_t since_ms, int64_t now_ms);
char *view_gpus(double gpus, char out[static VIEW_WORD]); /* < 0: "?" */
/* What is held of a node or of all: with "+?" where others than those seen may hold more. */
char *view_held(const struct tui_world *world, double gpus, char out[static VIEW_WORD]);
char *view_limit(double gpus, bool said, char out[static VIEW_WORD]); /* < 0: "unlimited"; not said: "-" */
char *view_percent(double percent, char out[static VIEW_WORD]); /* < 0: "?" */
/* "2/8 GPUs", "0.5", "10Gi of memory", "-": what a workload asks for and has. */
void view_workload_gpus(const struct stint_workload *workload, struct tui_field *out);
/* "2 GPUs after 3h", "?": what an eviction has cost. */
void view_lost(const struct tui_victim *victim, struct tui_field *out);
/* The devices of a node, a cell for each: filled by its shares, in the colours of their projects; at most `width` columns. */
void view_devices(const struct stint_node_use *node, bool all_known, struct tui_area area, int y, int x, int width);
/*
 * A quota bar: what is allocated within the quota, what is borrowed beyond it, a mark at the fair share, the rest of the room up to
 * `most`. Where no Queue tells the quota, what is allocated is drawn as neither.
 */
void view_quota_bar(const struct tui_project *project, double most, struct tui_area area, int y, int x, int width);
/* The largest amount that the bars of these projects must hold. */
double view_bar_most(const struct tui_world *world);

#endif
