/*
 * run: see run.h. Keys are taken and answered in a handler of the loop; drawing follows at once. News of the cluster only mark the state as
 * changed, and a timer makes a new world of them: at most `frames` times a second, and never for more than a tenth of the time, so that a
 * busy cluster slows the picture down and not the person.
 */
#include "cli/tui/run.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/live.h"
#include "cli/settings.h"
#include "cli/tui/settings.h"

enum {
	REST_FACTOR = 9,
	TICK_MS = 1000,
	RESIZE_MS = 50,
	STALE_MS = 15000,
	SAID_MAX = 64 * 1024,
	KEYS_A_TURN = 64,
	TYPING_MS = 250,
	TYPING_MOST_MS = 1000,
	REPORTS_MS = 2000
};

static const int ending_signals[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT};

/* ---- drawing ----------------------------------------------------------------------------------------------------------------------- */

void tui_run_health(struct tui_run *run)
{
	struct tui_health *health = &run->app->health;
	const char *problem = NULL;
	enum stint_code code = STINT_OK;
	free(stint_steal(&health->problem));
	free(stint_steal(&health->advice));
	free(stint_steal(&health->hidden));
	free(stint_steal(&health->scheduler));
	health->loading = !run->state || !tui_state_is_complete(run->state);
	health->lost_ms = run->state ? tui_state_lost(run->state, &problem, &code) : 0;
	health->problem = stint_strdup(problem);
	if (code == STINT_FORBIDDEN)
		health->advice = stint_strdup("log in again: the credential may have expired");
	health->hidden = run->state ? tui_state_hidden(run->state) : NULL;
	health->scheduler = run->state ? tui_state_scheduler(run->state, stint_now_ms()) : NULL;
	const char *project = run->state ? tui_state_project(run->state) : run->options->project;
	free(run->app->project);
	run->app->project = stint_strdup(project);
}

/* When the next world may be made (monotonic); INT64_MAX: not before there is news. */
static int64_t world_due_ms(const struct tui_run *run)
{
	if (!run->state || !tui_state_is_usable(run->state))
		return INT64_MAX;
	const enum tui_news news = tui_state_news(run->state);
	const int64_t rest_ms = news == TUI_NEWS ? 0 : news == TUI_NEWS_SOON ? REPORTS_MS : STALE_MS;
	const int64_t due_ms = run->app->now.world || news == TUI_NEWS ? run->made_ms + rest_ms : INT64_MAX;
	return due_ms > run->world_ms ? due_ms : run->world_ms;
}

/*
 * While somebody types, the moment after an answer is the one in which nobody waits: the next world is made then, and a timer makes it only
 * when no key has come for a while.
 */
static int64_t quiet_ms(const struct tui_run *run)
{
	const int64_t typing_ms = run->key_ms + TYPING_MS, most_ms = run->made_ms + TYPING_MOST_MS;
	return typing_ms < most_ms ? typing_ms : most_ms;
}

/* The world is made anew when it may be; the rest that it needs is in proportion to what it cost. */
static bool look_at_world(struct tui_run *run)
{
	const int64_t now_ms = stint_monotonic_ms();
	if (now_ms < world_due_ms(run))
		return false;
	const int64_t began_us = stint_monotonic_us();
	tui_app_world(run->app, tui_state_world(run->state, stint_now_ms()), stint_now_ms());
	tui_follow_look(run);
	const int64_t cost_ms = (stint_monotonic_us() - began_us) / 1000, least_ms = 1000 / run->app->settings.frames;
	run->made_ms = now_ms;
	run->world_ms = now_ms + cost_ms + (cost_ms * REST_FACTOR > least_ms ? cost_ms * REST_FACTOR : least_ms);
	return true;
}

static void draw(struct tui_run *run)
{
	int width, height, y = -1, x = 0;
	if (run->resting || run->quit)
		return;
	tui_run_health(run);
	tui_terminal_size(run->terminal, &width, &height);
	tui_app_draw(run->app, &run->cells, width, height, stint_now_ms());
	if (!tui_app_cursor(run->app, &run->cells, &y, &x))
		y = -1;
	const enum tui_depth depth = tui_terminal_depth(run->terminal);
	run->app->settings.depth = depth < run->options->deepest ? depth : run->options->deepest;
	tui_terminal_show(run->terminal, &run->cells, run->app->settings.theme, run->app->settings.depth, y, x);
	run->frame_ms = stint_monotonic_ms();
}

static void on_frame(void *user)
{
	struct tui_run *run = user;
	if (stint_monotonic_ms() >= quiet_ms(run))
		look_at_world(run);
	draw(run);
	if (run->state && tui_state_news(run->state) != TUI_NO_NEWS)
		tui_run_draw_soon(run);
}

/* With something to draw that is known already (a log, an answer) when the next frame is due; else when the next world is. */
void tui_run_draw_soon(struct tui_run *run)
{
	const int64_t now_ms = stint_monotonic_ms();
	int64_t due_ms = run->app->dirty ? now_ms : world_due_ms(run);
	if (due_ms == INT64_MAX)
		due_ms = now_ms;
	else if (!run->app->dirty && due_ms < quiet_ms(run))
		due_ms = quiet_ms(run);
	if (due_ms < run->frame_ms + 1000 / run->app->settings.frames)
		due_ms = run->frame_ms + 1000 / run->app->settings.frames;
	if (stint_timer_active(run->frame) && run->frame_due_ms <= due_ms)
		return;
	run->frame_due_ms = due_ms;
	stint_timer_set(run->frame, due_ms > now_ms ? due_ms - now_ms : 0);
}

static void on_change(void *user)
{
	tui_run_draw_soon(user);
}

/* The clock and the ages go on when nothing else does. */
static void on_tick(void *user)
{
	struct tui_run *run = user;
	if (run->app->now.world)
		tui_history_sample(&run->app->history, run->app->now.world, stint_now_ms());
	tui_follow_look(run);
	run->app->fresh = false;
	if (stint_monotonic_ms() >= quiet_ms(run))
		look_at_world(run);
	draw(run);
	stint_timer_set(run->clock_tick, TICK_MS);
}

/* ---- what comes from the terminal -------------------------------------------------------------------------------------------------- */

static void on_input(void *user, int fd, int events)
{
	struct tui_run *run = user;
	int y = 0, x = 0, taken = 0;
	(void)fd;
	(void)events;
	if (run->resting) {
		tui_children_key(run);
		return;
	}
	for (uint32_t key; taken < KEYS_A_TURN && !run->quit && !run->resting && (key = tui_terminal_key(run->terminal, &y, &x)); taken++)
		tui_app_key(run->app, key, y, x, stint_now_ms());
	if (taken) {
		draw(run);
		run->key_ms = stint_monotonic_ms();
		if (!run->resting && look_at_world(run))
			draw(run);
	} else if (!isatty(STDIN_FILENO) || tcgetpgrp(STDIN_FILENO) < 0) /* the terminal has gone */
		tui_run_quit(run, 128 + SIGHUP);
}

static void on_resize_signal(void *user, int number)
{
	struct tui_run *run = user;
	(void)number;
	if (!stint_timer_active(run->resize))
		stint_timer_set(run->resize, RESIZE_MS);
}

static void on_resize(void *user)
{
	struct tui_run *run = user;
	if (!run->resting && tui_terminal_resize(run->terminal))
		draw(run);
}

static void on_ending_signal(void *user, int number)
{
	struct tui_run *run = user;
	if (run->resting && number == SIGINT)
		return; /* meant for the program that has the terminal */
	tui_run_quit(run, 128 + number);
}

/* Stopped by the shell's hand (kill -TSTP) or our own key. */
static void stop(void *user)
{
	struct tui_run *run = user;
	if (run->resting)
		return;
	tui_terminal_suspend(run->terminal);
	raise(SIGSTOP);
	tui_terminal_resume(run->terminal);
	draw(run);
}

static void on_stop_signal(void *user, int number)
{
	(void)number;
	stop(user);
}

static void on_continue(void *user, int number)
{
	struct tui_run *run = user;
	(void)number;
	if (run->resting)
		return;
	tui_terminal_resize(run->terminal);
	tui_terminal_redraw(run->terminal);
	draw(run);
}

static bool watch_signals(struct tui_run *run, struct stint_error **err)
{
	bool fine = stint_signal_watch(run->loop, SIGWINCH, on_resize_signal, run, err) &&
		stint_signal_watch(run->loop, SIGTSTP, on_stop_signal, run, err) &&
		stint_signal_watch(run->loop, SIGCONT, on_continue, run, err);
	for (size_t at = 0; fine && at < STINT_COUNT(ending_signals); at++)
		fine = stint_signal_watch(run->loop, ending_signals[at], on_ending_signal, run, err);
	return fine;
}

static void unwatch_signals(struct tui_run *run)
{
	stint_signal_watch(run->loop, SIGWINCH, NULL, NULL, NULL);
	stint_signal_watch(run->loop, SIGTSTP, NULL, NULL, NULL);
	stint_signal_watch(run->loop, SIGCONT, NULL, NULL, NULL);
	for (size_t at = 0; at < STINT_COUNT(ending_signals); at++)
		stint_signal_watch(run->loop, ending_signals[at], NULL, NULL, NULL);
}

/* ---- what the app asks for --------------------------------------------------------------------------------------------------------- */

static void ask_why(void *user, const char *project, const char *name)
{
	tui_jobs_why(user, project, name);
}

static void follow_logs(void *user, const struct tui_about *workload)
{
	tui_follow_start(user, workload);
}

static void act(void *user, const struct tui_action *action)
{
	tui_jobs_act(user, action);
}

static void open_shell(void *user, const struct tui_about *workload)
{
	tui_children_shell(user, workload);
}

static void run_command(void *user, const char *line)
{
	tui_children_command(user, line);
}

static void complete(void *user, const char *line)
{
	tui_children_complete(user, line);
}

static void end_output(void *user)
{
	tui_children_end_output(user);
}

static void want_events(void *user, bool wanted)
{
	struct tui_run *run = user;
	if (run->state)
		tui_state_want_events(run->state, wanted);
}

static bool save(void *user, const char *key, const char *value, struct stint_error **err)
{
	(void)user;
	stint_autofree char *path = cli_settings_path();
	if (!path)
		return stint_fail(err, STINT_FAILED, "there is no place for settings: neither XDG_CONFIG_HOME nor HOME is set");
	stint_auto_json *settings = cli_settings_read(path, err);
	if (!settings)
		return false;
	if (*value)
		stint_json_set_string(settings, key, value);
	else
		stint_json_remove(settings, key);
	return cli_settings_write(path, settings, err);
}

static void redraw(void *user)
{
	tui_terminal_redraw(((struct tui_run *)user)->terminal);
}

static void quit(void *user)
{
	tui_run_quit(user, STINT_OK);
}

void tui_run_quit(struct tui_run *run, int exit_code)
{
	run->quit = true;
	run->exit_code = exit_code;
	stint_loop_stop(run->loop); /* ends what a job waits for, too */
}

/* ---- what others say --------------------------------------------------------------------------------------------------------------- */

/* A note on standard error would stand in the middle of the screen: it is kept, and the last that was said is shown at the end. */
static ssize_t keep_note(void *user, const char *data, size_t length)
{
	struct tui_run *run = user;
	if (run->said.length + length > SAID_MAX)
		stint_buf_reset(&run->said);
	if (length < SAID_MAX)
		stint_buf_add(&run->said, data, length);
	return (ssize_t)length;
}

static FILE *open_notes(struct tui_run *run)
{
	FILE *notes = fopencookie(run, "w", (cookie_io_functions_t){.write = keep_note});
	if (notes)
		setvbuf(notes, NULL, _IONBF, 0);
	return notes;
}

/* ---- life -------------------------------------------------------------------------------------------------------------------------- */

char *tui_place_of(const struct stint_kube *kube)
{
	const struct stint_kube_config *config = stint_kube_config_of(kube);
	return stint_strdup(config->context ? config->context : config->in_cluster ? "in-cluster" : config->server);
}

void tui_settings_read(struct cli_context *ctx, struct tui_app *app)
{
	static const char *const keys[] = {"dashboard-columns", "dashboard-keys"};
	for (size_t at = 0; at < STINT_COUNT(keys); at++) {
		const char *value = cli_setting(ctx, keys[at]);
		stint_auto_error *err = NULL;
		if (value && tui_setting_check(keys[at], value, &err))
			tui_setting_apply(app, keys[at], value);
		else if (value)
			tui_app_note(app, TUI_BAD, "setting %s is passed over: %s", keys[at], err->message);
	}
}

/* The scheduler's names tell whose pods make up workloads: read before everything else, while "reading" is on the screen. */
bool tui_run_open_state(struct tui_run *run, void (*on_news)(void *user))
{
	char **names = cli_scheduler_names(run->ctx, run->kube);
	const char *fallback = cli_all_projects(run->ctx) ? stint_kube_config_of(run->kube)->namespace_ : cli_project(run->ctx);
	if (fallback)
		run->state = tui_state_open(run->kube,
			&(struct tui_state_options){.project = run->options->project,
				.fallback = fallback,
				.scheduler_names = (const char *const *)names,
				.on_change = on_news,
				.user = run});
	stint_strings_free(names);
	return run->state != NULL;
}

static void turn(struct tui_run *run)
{
	draw(run);
	if (!tui_run_open_state(run, on_change)) {
		run->exit_code = run->quit ? run->exit_code : cli_failed(run->ctx);
		return;
	}
	tui_state_want_events(run->state, tui_view_needs_events(run->app->tab));
	stint_timer_set(run->clock_tick, TICK_MS);
	tui_estimates_start(run);
	while (!run->quit && stint_loop_step(run->loop, -1)) {
		while (!run->quit && tui_jobs_work(run))
			;
	}
}

static void open_app(struct tui_run *run)
{
	const struct tui_outside outside = {.ask_why = ask_why,
		.follow_logs = follow_logs,
		.act = act,
		.shell = open_shell,
		.command = run_command,
		.complete = complete,
		.end_output = end_output,
		.want_events = want_events,
		.save = save,
		.redraw = redraw,
		.stop = stop,
		.quit = quit,
		.user = run};
	run->app = tui_app_new(&run->options->settings, &outside);
	run->app->place = tui_place_of(run->kube);
	run->app->project = stint_strdup(run->options->project);
	run->app->tab = run->options->view;
	run->app->now.ms = stint_now_ms();
	tui_settings_read(run->ctx, run->app);
}

static void close_run(struct tui_run *run)
{
	tui_follow_start(run, NULL);
	tui_children_free(run);
	tui_jobs_free(run);
	tui_estimates_free(run->estimates);
	tui_app_free(run->app);
	tui_state_close(run->state);
	stint_fd_unwatch(run->input);
	stint_timer_free(run->frame);
	stint_timer_free(run->clock_tick);
	stint_timer_free(run->resize);
	tui_cells_free(&run->cells);
	stint_buf_free(&run->said);
}

int tui_run(struct cli_context *ctx, struct stint_kube *kube, const struct tui_options *options)
{
	struct tui_run run = {.ctx = ctx, .kube = kube, .loop = stint_kube_loop(kube), .options = options, .exit_code = STINT_OK};
	run.terminal = tui_terminal_open(&ctx->err);
	if (!run.terminal)
		return cli_failed(ctx);
	FILE *former = ctx->notes;
	run.notes = open_notes(&run);
	if (run.notes)
		ctx->notes = run.notes;
	open_app(&run);
	run.frame = stint_timer_new(run.loop, on_frame, &run);
	run.clock_tick = stint_timer_new(run.loop, on_tick, &run);
	run.resize = stint_timer_new(run.loop, on_resize, &run);
	run.input = stint_fd_watch(run.loop, STDIN_FILENO, STINT_READ, on_input, &run);
	if (watch_signals(&run, &ctx->err))
		turn(&run);
	else
		run.exit_code = cli_failed(ctx);
	unwatch_signals(&run);
	tui_terminal_close(run.terminal);
	ctx->notes = former;
	if (run.notes)
		fclose(run.notes);
	if (run.quit)
		stint_error_clear(&ctx->err); /* of what was under way when it was ended */
	close_run(&run);
	return run.exit_code;
}
