/*
 * lines: what comes out of a cycle, as JSON with names instead of handles. Part of the journal.
 */
#ifndef STINT_JOURNAL_LINES_H
#define STINT_JOURNAL_LINES_H

#include <stint/engine.h>
#include <stint/text.h>

#define JOURNAL_HEAD "{\"journal\":1}"

struct stint_json *line_of_decision(const struct stint_engine *engine, const struct stint_decision *decision);
struct stint_json *line_of_record(const struct stint_engine *engine, uint32_t group);
struct stint_json *line_of_end(const struct stint_cycle *cycle);

#endif
