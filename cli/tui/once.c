/*
 * once: one frame as text, for scripts, tickets and tests: everything is read, drawn and printed, and no terminal is touched.
 */
#include "cli/tui/run.h"

static void do_nothing(void *user)
{
	(void)user;
}

/* Until all is read; an unreachable server is an error here, not something to wait for. */
static bool wait_complete(struct tui_run *run)
{
	while (!tui_state_is_complete(run->state)) {
		const char *problem;
		enum stint_code code;
		if (!stint_loop_step(run->loop, -1))
			return stint_fail(&run->ctx->err, STINT_INTERRUPTED, "interrupted");
		tui_state_lost(run->state, &problem, &code);
		if (problem)
			return stint_fail(&run->ctx->err, code, "%s", problem);
	}
	return true;
}

static void print_frame(struct tui_run *run, int width, int height)
{
	const struct tui_outside nobody = {0};
	const struct tui_settings *settings = &run->options->settings;
	stint_auto_buf text = {0};
	run->app = tui_app_new(settings, &nobody);
	run->app->place = tui_place_of(run->kube);
	run->app->tab = run->options->view;
	/* Nobody waits here for the scheduler to search: a column that could not be filled is left out, unless it is wished for. */
	struct tui_list *queue = &run->app->lists[TUI_QUEUE];
	queue->hidden[tui_list_column(queue->kind, "starts")] = true;
	tui_settings_read(run->ctx, run->app);
	tui_app_world(run->app, tui_state_world(run->state, stint_now_ms()), stint_now_ms());
	tui_run_health(run);
	tui_app_draw(run->app, &run->cells, width, height, stint_now_ms());
	tui_print(&run->cells, settings->theme, run->options->deepest, &text);
	fputs(text.data, run->ctx->out);
	tui_app_free(run->app);
	tui_cells_free(&run->cells);
}

int tui_once(struct cli_context *ctx, struct stint_kube *kube, const struct tui_options *options, int width, int height)
{
	struct tui_run run = {.ctx = ctx, .kube = kube, .loop = stint_kube_loop(kube), .options = options};
	if (!tui_run_open_state(&run, do_nothing))
		return cli_failed(ctx);
	if (tui_view_needs_events(options->view))
		tui_state_want_events(run.state, true);
	const bool read = wait_complete(&run);
	if (read)
		print_frame(&run, width, height);
	tui_state_close(run.state);
	return read ? STINT_OK : cli_failed(ctx);
}
