/*
 * journal: what went into an engine and what came out of it, as lines of text, and the replay of such lines.
 *
 * The first line is {"journal":1}. After it every call that changes the state is a line; a cycle is a line with its time (and the policy, when it
 * is not that of the cycle before), then a line for each decision and for each record that it made, then one with the counts:
 *   {"cycle":1764000000000}
 *   {"decision":"bind","action":"allocate","pod":"vision/train-0","uid":"...","group":"vision/Job/train","node":"node-1","devices":[0,1]}
 *   {"waits":"vision/Job/large","reason":"NotEnoughResources", ...}
 *   {"done":{"decisions":1,"tried":2}}
 * Things have names here, never the engine's handles. The same calls make the same bytes; the engine being a function of them, lines that are
 * replayed make the same bytes again, on every machine: where they do not, the engine has decided otherwise.
 */
#ifndef STINT_JOURNAL_H
#define STINT_JOURNAL_H

#include <stint/base.h>
#include <stint/engine.h>
#include <stint/text.h>

/* ---- writing ------------------------------------------------------------------------------------------------------------------------ */

struct stint_journal;
/*
 * From now on `write` is given all that happens to the engine, whole lines, at least at the end of each cycle. The engine must be new. It can
 * have one journal at a time, and must outlive it.
 */
struct stint_journal *stint_journal_new(
	struct stint_engine *engine, void (*write)(void *user, const char *lines, size_t length), void *user);
void stint_journal_flush(struct stint_journal *journal); /* hands out now what is there */
/* No more is handed out, and nothing more is made into lines. Also from within `write`, for whom writes in vain. */
void stint_journal_end(struct stint_journal *journal);
void stint_journal_free(struct stint_journal *journal); /* hands out what is left first. NULL is fine */

/* ---- replaying ------------------------------------------------------------------------------------------------------------------------ */

enum { STINT_JOURNAL_MAX_LINE = 64 * 1024 * 1024 };
struct stint_replay {
	size_t lines, cycles, decisions;
	bool cut; /* its last line, or its last cycle, is not whole: as when its writer was killed */
	size_t differs; /* the first line that comes out otherwise; 0: none does */
	char *was, *is; /* that line, in the journal and now; "": there is none */
};
/*
 * Gives a new engine everything that stands in the journal and compares what comes out, byte for byte, up to the first difference. Untrusted
 * input: false with *err, which names `name`, the line and the place in it, for what is no journal.
 */
bool stint_journal_replay(const char *name, const char *data, size_t length, struct stint_replay *out, struct stint_error **err);
void stint_replay_clear(struct stint_replay *replay); /* for STINT_CLEANUP */

/* ---- a policy by itself ----------------------------------------------------------------------------------------------------------------- */

/* As the cycles of a journal have it. */
struct stint_json *stint_policy_json(const struct stint_policy *policy);
/* Untrusted; texts and arrays live in the arena. False with *err, which names the place, for what is no policy. */
bool stint_policy_read(const struct stint_json *json, struct stint_arena *arena, struct stint_policy *out, struct stint_error **err);

#endif
