/*
 * run: the dashboard as a running program: joins the loop, the terminal, the state and the app. tui/run.c has the loop and the frames, once.c
 * the frame that is printed; what takes time is in jobs.c (questions and changes, one after the other), follow.c (logs) and children.c (commands of stint, shells).
 */
#ifndef STINT_CLI_TUI_RUN_H
#define STINT_CLI_TUI_RUN_H

#include "cli/cli.h"
#include "cli/tui/app.h"
#include "cli/tui/state.h"
#include "cli/tui/terminal.h"

struct tui_options {
	enum tui_view_name view;
	const char *project; /* NULL: all that may be read */
	struct tui_settings settings;
	enum tui_depth deepest; /* colours: at most so many */
	const char *kubeconfig, *context; /* of the command line, for commands that are run from inside; may be NULL */
};
/* Until the person ends it. The exit code. */
int tui_run(struct cli_context *ctx, struct stint_kube *kube, const struct tui_options *options);
/* One frame as text on ctx->out, when everything has been read. */
int tui_once(struct cli_context *ctx, struct stint_kube *kube, const struct tui_options *options, int width, int height);

/* ---- between the files of it ---------------------------------------------------------------------------------------------------------- */

struct tui_job;
struct tui_follow;
struct tui_children;
struct tui_estimates;

struct tui_run {
	struct cli_context *ctx;
	struct stint_kube *kube;
	struct stint_loop *loop;
	const struct tui_options *options;
	struct tui_app *app;
	struct tui_state *state; /* NULL until the scheduler's names are known */
	struct tui_terminal *terminal;
	struct tui_cells cells;
	struct stint_watch_fd *input;
	struct stint_timer *frame; /* draws; and makes the world anew when that is due */
	struct stint_timer *clock_tick;
	struct stint_timer *resize; /* a storm of them is laid out once */
	int64_t frame_ms; /* when the last one was drawn (monotonic) */
	int64_t frame_due_ms; /* when the timer draws the next */
	int64_t world_ms; /* when the next world may be made */
	int64_t made_ms; /* when the last one was */
	int64_t key_ms; /* when a key was pressed last */
	struct stint_buf said; /* what the rest of the program would have noted on standard error */
	FILE *notes;
	struct tui_job *jobs; /* oldest first */
	struct tui_follow *follow;
	struct tui_children *children;
	struct tui_estimates *estimates;
	bool quit, drawn, resting; /* resting: the terminal is somebody else's */
	int exit_code;
};
void tui_run_draw_soon(struct tui_run *run); /* as soon as a frame is due */
void tui_run_quit(struct tui_run *run, int exit_code);
bool tui_run_open_state(struct tui_run *run, void (*on_news)(void *user)); /* false: ctx->err */
void tui_run_health(struct tui_run *run); /* tells the app how the watches are */
char *tui_place_of(const struct stint_kube *kube); /* which cluster, for the title; freed by the caller */
void tui_settings_read(struct cli_context *ctx, struct tui_app *app); /* what the command line does not say */

/* jobs.c: what must wait for answers is done by the main loop, outside of every handler, while the loop goes on turning. */
void tui_jobs_why(struct tui_run *run, const char *project, const char *name);
void tui_jobs_act(struct tui_run *run, const struct tui_action *action);
bool tui_jobs_work(struct tui_run *run); /* does the oldest one; false: there is none */
void tui_jobs_free(struct tui_run *run);

/* estimates.c: when what is seen of the queue is expected to start. */
void tui_estimates_start(struct tui_run *run);
void tui_estimates_free(struct tui_estimates *estimates); /* NULL is fine */

/* follow.c: the logs of a workload's pods, those that come later too. */
void tui_follow_start(struct tui_run *run, const struct tui_about *workload); /* NULL: end it */
void tui_follow_look(struct tui_run *run); /* pods may have come, or streams may be due again */

/* children.c: other runs of stint. */
void tui_children_command(struct tui_run *run, const char *line);
void tui_children_complete(struct tui_run *run, const char *line);
void tui_children_shell(struct tui_run *run, const struct tui_about *workload);
void tui_children_key(struct tui_run *run); /* something was typed while the terminal rests */
void tui_children_end_output(struct tui_run *run); /* whose output is shown is not looked at any more */
void tui_children_free(struct tui_run *run);

#endif
