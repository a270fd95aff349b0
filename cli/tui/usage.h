/*
 * usage: what the queues had lately, as stint-scheduler keeps it in ConfigMap stint-usage: what is long ago counts less. Read once a minute,
 * which is how often it is written. Who may not read it does without.
 */
#ifndef STINT_CLI_TUI_USAGE_H
#define STINT_CLI_TUI_USAGE_H

#include <stint/engine.h>
#include <stint/text.h>

struct tui_usage;
/* From the text in the ConfigMap; NULL: it is not as the scheduler writes it. */
struct tui_usage *tui_usage_parse(const char *text);
void tui_usage_free(struct tui_usage *usage); /* NULL is fine */
/* A queue's part of what the cluster had; 0 of one that is not known, and of NULL. */
double tui_usage_of(const struct tui_usage *usage, const char *queue, enum stint_dimension dimension);

#endif
