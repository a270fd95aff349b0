/*
 * simulate_replay: a journal, of `simulate --journal` or of a scheduler in a cluster, decided again; the first line that differs is shown from
 * where it differs.
 */
#include <stdio.h>
#include <string.h>

#include <stint/journal.h>

#include "cli/output/output.h"
#include "cli/simulate_replay.h"

#define MOST_JOURNAL_BYTES ((size_t)4 << 30)
enum { SHOWN_BEFORE = 30, SHOWN = 160 };

/* A piece of the line, around the byte at which the two part. */
static void print_piece(struct cli_context *ctx, const char *title, const char *line, size_t at)
{
	const size_t from = at > SHOWN_BEFORE ? at - SHOWN_BEFORE : 0, left = strlen(line + from), shown = left < SHOWN ? left : SHOWN;
	stint_autofree char *piece = stint_strndup(line + from, shown);
	stint_sanitize(piece);
	fprintf(ctx->out, "  %s: %s%s%s\n", title, from ? "..." : "", *line ? piece : "(nothing)", left > shown ? "..." : "");
}

static void print(struct cli_context *ctx, const struct stint_replay *replay, const char *path)
{
	if (!replay->differs) {
		fprintf(ctx->out, "%zu cycles, %zu decisions: the same\n", replay->cycles, replay->decisions);
		if (replay->cut)
			cli_note(ctx,
				"%s ends in the middle of a line or of a cycle, as when its writer was ended: what is there was compared",
				path);
		return;
	}
	size_t at = 0;
	while (replay->was[at] && replay->was[at] == replay->is[at])
		at++;
	fprintf(ctx->out, "%s:%zu: differs, in cycle %zu\n", path, replay->differs, replay->cycles);
	print_piece(ctx, "the journal", replay->was, at);
	print_piece(ctx, "this engine", replay->is, at);
}

static struct stint_json *as_json(const struct stint_replay *replay)
{
	struct stint_json *json = stint_json_new_object();
	stint_json_set_bool(json, "same", replay->differs == 0);
	stint_json_set_int(json, "lines", (int64_t)replay->lines);
	stint_json_set_int(json, "cycles", (int64_t)replay->cycles);
	stint_json_set_int(json, "decisions", (int64_t)replay->decisions);
	stint_json_set_bool(json, "cut", replay->cut);
	if (replay->differs) {
		struct stint_json *differs = stint_json_set(json, "differs", stint_json_new_object());
		stint_json_set_int(differs, "line", (int64_t)replay->differs);
		stint_json_set_string(differs, "journal", replay->was);
		stint_json_set_string(differs, "engine", replay->is);
	}
	return json;
}

int cli_simulate_replay(struct cli_context *ctx, const char *path)
{
	stint_auto_buf text = {0};
	if (!stint_buf_read_file(&text, path, MOST_JOURNAL_BYTES, &ctx->err))
		return cli_failed(ctx);
	STINT_CLEANUP(stint_replay_clear) struct stint_replay replay = {0};
	if (!stint_journal_replay(path, text.data ? text.data : "", text.length, &replay, &ctx->err))
		return cli_failed(ctx);
	stint_auto_json *json = as_json(&replay);
	int exit_code = STINT_OK;
	if (!cli_print_object(ctx, json, NULL, &exit_code))
		print(ctx, &replay, path);
	return exit_code ? exit_code : replay.differs ? STINT_FAILED : STINT_OK;
}
