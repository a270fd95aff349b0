/*
 * dashboard: the whole cluster on one screen. The verb reads the command line and the settings; cli/tui/ is the rest.
 */
#include <langinfo.h>
#include <locale.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/tui/layout.h"
#include "cli/tui/run.h"
#include "cli/tui/settings.h"
#include "cli/tui/terms.h"

enum { MOST_SIZE = 1000 };

/* "120x40". */
static bool read_size(struct cli_context *ctx, int *width, int *height)
{
	const char *text = cli_text(ctx, "size"), *cross = text ? strchr(text, 'x') : NULL;
	int64_t columns, rows;
	if (!text) {
		*width = ctx->columns ? ctx->columns : 120;
		*height = ctx->rows ? ctx->rows : 40;
	} else {
		stint_autofree char *front = stint_strndup(text, cross ? (size_t)(cross - text) : 0);
		if (!cross || !stint_parse_int(front, 1, MOST_SIZE, &columns) || !stint_parse_int(cross + 1, 1, MOST_SIZE, &rows))
			return stint_fail(&ctx->err, STINT_USAGE, "--size is WIDTHxHEIGHT, as in 120x40: got \"%s\"", text);
		*width = (int)columns;
		*height = (int)rows;
	}
	if (*width < TUI_LEAST_WIDTH || *height < TUI_LEAST_HEIGHT)
		return stint_fail(&ctx->err, STINT_USAGE, "--size must be at least %dx%d: got %dx%d", TUI_LEAST_WIDTH, TUI_LEAST_HEIGHT,
			*width, *height);
	return true;
}

static const char *said(struct cli_context *ctx, const char *flag, const char *setting, const char *otherwise)
{
	const char *value = cli_given(ctx, flag) ? cli_text(ctx, flag) : cli_setting(ctx, setting);
	return value ? value : otherwise;
}

/* How the terminal speaks; without a UTF-8 locale, wide characters are measured as C.UTF-8 does, for --charset utf-8. */
static bool choose_charset(struct cli_context *ctx)
{
	const char *charset = cli_text(ctx, "charset");
	setlocale(LC_CTYPE, "");
	const bool can = strcmp(nl_langinfo(CODESET), "UTF-8") == 0;
	if (strcmp(charset, "utf-8") == 0 && !can)
		setlocale(LC_CTYPE, "C.UTF-8");
	return strcmp(charset, "utf-8") == 0 || (can && strcmp(charset, "ascii") != 0);
}

static enum tui_depth choose_depth(const struct cli_context *ctx, bool once)
{
	const char *colours = cli_text(ctx, "colors"), *term = getenv("TERM");
	if (strcmp(colours, "none") == 0 || strcmp(colours, "16") == 0)
		return *colours == 'n' ? TUI_MONO : TUI_16;
	if (strcmp(colours, "256") == 0)
		return TUI_256;
	if (!ctx->colour)
		return TUI_MONO;
	return once && term && !strstr(term, "256") && !getenv("COLORTERM") ? TUI_16 : TUI_256;
}

static bool read_options(struct cli_context *ctx, bool once, struct tui_options *out)
{
	stint_auto_error *err = NULL;
	const char *theme = said(ctx, "theme", "dashboard-theme", "dark"), *view = said(ctx, "view", "dashboard-view", "overview");
	const char *frames = cli_setting(ctx, "dashboard-refresh");
	int64_t number = 20;
	if (frames)
		stint_parse_int(frames, 1, 20, &number);
	out->view = tui_view_find(view);
	if (out->view >= TUI_TABS)
		out->view = TUI_OVERVIEW; /* of a file that was written by hand */
	out->settings = (struct tui_settings){
		.theme = strcmp(theme, "light") == 0 ? TUI_LIGHT : TUI_DARK, .utf8 = choose_charset(ctx), .frames = (int)number};
	out->deepest = choose_depth(ctx, once);
	out->kubeconfig = cli_text(ctx, "kubeconfig");
	out->context = cli_text(ctx, "context");
	if (cli_given(ctx, "project") || cli_given(ctx, "namespace")) {
		out->project = cli_project(ctx);
		return out->project != NULL;
	}
	return true;
}

static int run(struct cli_context *ctx)
{
	const bool once = cli_switch(ctx, "once");
	struct tui_options options = {0};
	int width = 0, height = 0;
	if (once && !read_size(ctx, &width, &height))
		return cli_failed(ctx);
	if (!once && cli_given(ctx, "size"))
		return cli_fail(ctx, STINT_USAGE, "--size goes with --once: a terminal has a size of its own");
	struct stint_kube *kube = read_options(ctx, once, &options) ? cli_connect(ctx) : NULL;
	if (!kube)
		return cli_failed(ctx);
	return once ? tui_once(ctx, kube, &options, width, height) : tui_run(ctx, kube, &options);
}

static char *manual(void)
{
	stint_autofree char *keys = tui_keys_manual(), *terms = tui_terms_manual();
	return stint_format("%s\n\n%s", keys, terms);
}

static const struct cli_flag flags[] = {
	{.name = "once", .type = CLI_SWITCH, .help = "print one screen as text, and end"},
	{.name = "size", .type = CLI_TEXT, .argument = "WxH", .help = "of that screen; default: the terminal's, else 120x40"},
	{.name = "view",
		.type = CLI_CHOICE,
		.argument = "VIEW",
		.choices = "overview|workloads|nodes|projects|queue|events|evicted",
		.help = "the view to begin with; default: overview"},
	{.name = "theme",
		.type = CLI_CHOICE,
		.argument = "THEME",
		.choices = "dark|light",
		.help = "after the terminal's background; default: dark"},
	{.name = "charset",
		.type = CLI_CHOICE,
		.argument = "CHARSET",
		.choices = "auto|ascii|utf-8",
		.otherwise = "auto",
		.help = "what lines and bars are drawn with"},
	{.name = "colors",
		.type = CLI_CHOICE,
		.argument = "N",
		.choices = "auto|256|16|none",
		.otherwise = "auto",
		.help = "how many colours"},
	{.name = "scheduler-url",
		.type = CLI_TEXT,
		.argument = "URL",
		.help = "where stint-scheduler answers why something waits; else the own setting of that name, else what its Lease says"},
	{.name = NULL},
};

const struct cli_command cli_command_dashboard = {
	.name = "dashboard",
	.aliases = "dash",
	.group = CLI_INSIGHT,
	.summary = "See the whole cluster on one screen, live",
	.description =
		"Nodes with their devices and who has them, workloads, projects with what they are due and have, what waits and why, "
		"events, "
		"logs. It is kept current by watches; what may not be read is hidden and said. Without -p all projects are shown, or the "
		"one of the context where only that may be read.\n\nWhat is not known is shown as \"?\", never as 0. Own settings that "
		"begin "
		"with dashboard- (\"stint config list\") hold theme, columns, keys and more; what is changed from inside is written there.",
	.more = manual,
	.more_title = "Keys and terms",
	.examples = "stint dashboard\n"
		    "# one project\n"
		    "stint dashboard -p vision\n"
		    "# a screen for a ticket\n"
		    "stint dashboard --once --view queue --size 120x40",
	.flags = flags,
	.exits = CLI_EXIT(STINT_FORBIDDEN),
	.run = run,
};
