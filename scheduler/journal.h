/*
 * journal: every decision of every cycle as a line of JSON in a file, for those who want to know later what was decided and when.
 *
 *   {"time":"...","decision":"bind","group":"vision/Job/train/UID","pod":"vision/train-0","uid":"...","node":"node-1","devices":[0],"portion":0.5}
 */
#ifndef STINT_SCHEDULER_JOURNAL_H
#define STINT_SCHEDULER_JOURNAL_H

#include <stint/engine.h>

struct stint_journal;
/* Appends; NULL when the file cannot be opened, which the logger is told: scheduling goes on without. */
struct stint_journal *stint_journal_open(const char *path, const struct stint_logger *logger);
void stint_journal_close(struct stint_journal *journal);
void stint_journal_write(struct stint_journal *journal, const struct stint_engine *engine, const struct stint_cycle *cycle, int64_t now_ms);

#endif
