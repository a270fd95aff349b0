/*
 * past_use: what queues had lately, as far as a person may know it. The scheduler keeps it in a ConfigMap, which is read once a minute; with how much
 * it counts, and whether it does at all, the scheduler's Lease tells.
 */
#ifndef STINT_CLI_TUI_PAST_USE_H
#define STINT_CLI_TUI_PAST_USE_H

#include <stint/kube.h>

#include "cli/tui/usage.h"

struct tui_past_use;
/* on_change: it has been read, or not. */
struct tui_past_use *tui_past_use_start(struct stint_kube *kube, void (*on_change)(void *user), void *user);
void tui_past_use_free(struct tui_past_use *past); /* NULL is fine */
bool tui_past_use_settled(const struct tui_past_use *past); /* it has been read, or is not to be had */
const struct tui_usage *tui_past_use_usage(const struct tui_past_use *past); /* NULL: it does not count, or may not be read */
/* Whether all of it that counts is in there. lease: NULL where that may not be read. */
bool tui_past_use_known(const struct tui_past_use *past, const struct stint_json *lease);
/* --usage-factor of whoever holds the Lease; false: it does not tell. */
bool tui_past_use_factor(const struct stint_json *lease, double *factor);

#endif
