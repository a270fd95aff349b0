/*
 * project: the nouns `project` and `department`: their rows of the table of commands. The verbs are in project_read.c and project_write.c.
 */
#include "cli/project.h"

#include "cli/output/output.h"

#define SHARE_FLAGS(quota_help, unset, one, hundred)                                                                                       \
	{.name = "gpus", .type = CLI_TEXT, .argument = "N", .help = quota_help},                                                           \
		{.name = "gpu-limit", .type = CLI_TEXT, .argument = "N", .help = "GPUs that it may use at most; -1" unset ": unlimited"},  \
		{.name = "weight", .type = CLI_TEXT, .argument = "N", .help = "its part of what is left above the quotas" one},            \
		{.name = "priority", .type = CLI_TEXT, .argument = "N", .help = "who comes first above the quotas, higher first" hundred}, \
		{.name = "cpu", .type = CLI_TEXT, .argument = "CORES", .help = "CPU quota, as 64 or 500m; -1" unset ": unlimited"},        \
	{                                                                                                                                  \
		.name = "memory", .type = CLI_TEXT, .argument = "SIZE", .help = "memory quota, as 256Gi; -1" unset ": unlimited"           \
	}
#define FORECAST_TEXT                                                                                                                 \
	"--dry-run=schedule reads the cluster and lets the scheduling engine decide on it without and with the change. It needs the " \
	"right "                                                                                                                      \
	"to list what the scheduler reads in the whole cluster; -o belongs to it."
#define DRY_RUN_FLAG                                                                                                            \
	{                                                                                                                       \
		.name = "dry-run", .type = CLI_CHOICE, .argument = "schedule", .choices = "none|schedule", .otherwise = "none", \
		.help = "change nothing: tell what would start, what would be evicted and how fair shares would move"           \
	}
#define PEOPLE_FLAGS(department_unset)                                                                                                    \
	{.name = "department",                                                                                                            \
		.type = CLI_TEXT,                                                                                                         \
		.argument = "NAME",                                                                                                       \
		.source = CLI_DEPARTMENT_NAMES,                                                                                           \
		.help = "the department that it is in" department_unset},                                                                 \
		{.name = "user", .type = CLI_TEXT, .argument = "USER", .repeated = true, .help = "give a user the rights to work in it"}, \
	{                                                                                                                                 \
		.name = "group", .type = CLI_TEXT, .argument = "GROUP", .repeated = true, .help = "give a group the rights to work in it" \
	}

#define POOLS_FLAG(clears)                                                                                                               \
	{                                                                                                                                \
		.name = "default-node-pools", .type = CLI_TEXT, .argument = "POOL[,POOL...]", .source = CLI_POOL_NAMES,                  \
		.help = "the node pools of its workloads that list none (submit --node-pools), best first; without it every node" clears \
	}

static const struct cli_flag create_flags[] = {
	SHARE_FLAGS("GPUs that it has for sure; -1: all it wants; 0 unless set", " (unless set)", "; 1 unless set", "; 100 unless set"),
	PEOPLE_FLAGS("; default-department unless set"),
	POOLS_FLAG(""),
	{.name = "adopt", .type = CLI_SWITCH, .help = "use a namespace of that name that exists already"},
	DRY_RUN_FLAG,
	{.name = NULL},
};
static const struct cli_flag update_flags[] = {
	SHARE_FLAGS("GPUs that it has for sure; -1: all it wants", "", "", ""),
	PEOPLE_FLAGS(""),
	POOLS_FLAG(", as with \"none\""),
	{.name = "remove-user", .type = CLI_TEXT, .argument = "USER", .repeated = true, .help = "take the rights of a user away again"},
	{.name = "remove-group", .type = CLI_TEXT, .argument = "GROUP", .repeated = true, .help = "take the rights of a group away again"},
	DRY_RUN_FLAG,
	{.name = NULL},
};
static const struct cli_flag delete_flags[] = {
	{.name = "cascade", .type = CLI_SWITCH, .help = "with all workloads that it has"},
	{.name = NULL},
};
static const struct cli_flag department_create_flags[] = {
	SHARE_FLAGS("GPUs that its projects have for sure; unless set the sum of theirs, kept up to date", " (unless set)",
		"; 1 unless set", "; 100 unless set"),
	DRY_RUN_FLAG,
	{.name = NULL},
};
static const struct cli_flag department_update_flags[] = {
	SHARE_FLAGS(
		"GPUs that its projects have for sure; from then on no longer the sum of theirs, until it is \"sum\" again", "", "", ""),
	DRY_RUN_FLAG,
	{.name = NULL},
};

static const struct cli_positional new_name[] = {
	{.name = "NAME", .help = "its name; projects and departments share one set of names"},
	{.name = NULL},
};
static const struct cli_positional project_name[] = {
	{.name = "NAME", .help = "the project", .source = CLI_PROJECT_NAMES},
	{.name = NULL},
};
static const struct cli_positional department_name[] = {
	{.name = "NAME", .help = "the department", .source = CLI_DEPARTMENT_NAMES},
	{.name = NULL},
};

/* Of --dry-run=schedule alone. */
enum { FORECAST_FORMATS = CLI_FORMAT_TABLE | CLI_FORMAT_JSON | CLI_FORMAT_YAML | CLI_FORMAT_JSONPATH };
enum { SEES = CLI_EXIT(STINT_FORBIDDEN), CHANGES = SEES | CLI_EXIT(STINT_NOT_FOUND) | CLI_EXIT(STINT_CONFLICT) };

/* ---- project ----------------------------------------------------------------------------------------------------------------------- */

static const struct cli_command project_create = {
	.name = "create",
	.group = CLI_ADMIN,
	.summary = "Create a project: a Queue, a namespace and the rights of its people",
	.description = "Everything or nothing is made: the Queue is written last, and a failure takes the rest back.\n\n" FORECAST_TEXT,
	.examples = "stint project create vision --gpus 8 --department research --user ada --group vision-team\n"
		    "# a namespace that is there already becomes a project\n"
		    "stint project create legacy --gpus 2 --adopt\n"
		    "# what would start by it, and who would have to give back\n"
		    "stint project create vision --gpus 8 --dry-run=schedule",
	.positionals = new_name,
	.flags = create_flags,
	.formats = FORECAST_FORMATS,
	.exits = CHANGES,
	.no_project = true,
	.run = cli_share_create,
};
static const struct cli_command project_update = {
	.name = "update",
	.group = CLI_ADMIN,
	.summary = "Change a project's share, department or people",
	.description = "What is not said stays. --user and --group add to those that there are.\n\n" FORECAST_TEXT,
	.examples = "stint project update vision --gpus 12 --weight 2\n"
		    "stint project update vision --default-node-pools h100,a100\n"
		    "stint project update vision --user bob --remove-user ada\n"
		    "stint project update vision --gpus 4 --dry-run=schedule",
	.positionals = project_name,
	.flags = update_flags,
	.formats = FORECAST_FORMATS,
	.exits = CHANGES,
	.no_project = true,
	.run = cli_share_update,
};
static const struct cli_command project_delete = {
	.name = "delete",
	.aliases = "rm",
	.group = CLI_ADMIN,
	.summary = "Delete a project",
	.description =
		"It is refused while the project has workloads, unless --cascade is said. The namespace goes only if stint has made it.",
	.examples = "stint project delete vision -y\n"
		    "stint project delete vision --cascade -y",
	.positionals = project_name,
	.flags = delete_flags,
	.sets = CLI_SET_YES,
	.exits = CHANGES | CLI_EXIT(STINT_TIMEOUT),
	.no_project = true,
	.run = cli_share_delete,
};
static const struct cli_command project_list = {
	.name = "list",
	.aliases = "ls",
	.group = CLI_ADMIN,
	.summary = "List the projects with their shares",
	.examples = "stint project list -o wide --sort-by gpu_quota",
	.sets = CLI_SET_LIST,
	.list = &cli_project_list,
	.formats = CLI_FORMATS_LIST,
	.exits = SEES,
	.no_project = true,
	.run = cli_share_list,
};
static const struct cli_command project_describe = {
	.name = "describe",
	.group = CLI_ADMIN,
	.summary = "Show a project: its share, what it uses, its people",
	.positionals = project_name,
	.formats = CLI_FORMATS_OBJECT,
	.exits = SEES | CLI_EXIT(STINT_NOT_FOUND),
	.no_project = true,
	.run = cli_share_describe,
};
static const struct cli_command *const project_children[] = {
	&project_list, &project_describe, &project_create, &project_update, &project_delete, NULL};

const struct cli_command cli_command_project = {
	.name = "project",
	.aliases = "projects",
	.group = CLI_ADMIN,
	.summary = "Keep projects: who may use how much",
	.description = "A project is a leaf Queue and a namespace of the same name. Its GPU quota is what it has for sure; what others "
		       "leave unused it may "
		       "borrow, up to its limit.",
	.children = project_children,
};

/* ---- department -------------------------------------------------------------------------------------------------------------------- */

static const struct cli_command department_create = {
	.name = "create",
	.group = CLI_ADMIN,
	.summary = "Create a department",
	.examples = "stint department create research",
	.positionals = new_name,
	.flags = department_create_flags,
	.formats = FORECAST_FORMATS,
	.exits = CHANGES,
	.no_project = true,
	.run = cli_share_create,
};
static const struct cli_command department_update = {
	.name = "update",
	.group = CLI_ADMIN,
	.summary = "Change a department's share",
	.examples = "stint department update research --gpus 64 --gpu-limit 96",
	.positionals = department_name,
	.flags = department_update_flags,
	.formats = FORECAST_FORMATS,
	.exits = CHANGES,
	.no_project = true,
	.run = cli_share_update,
};
static const struct cli_command department_delete = {
	.name = "delete",
	.aliases = "rm",
	.group = CLI_ADMIN,
	.summary = "Delete a department that has no projects",
	.positionals = department_name,
	.sets = CLI_SET_YES,
	.exits = CHANGES,
	.no_project = true,
	.run = cli_share_delete,
};
static const struct cli_command department_list = {
	.name = "list",
	.aliases = "ls",
	.group = CLI_ADMIN,
	.summary = "List the departments with their shares and projects",
	.sets = CLI_SET_LIST,
	.list = &cli_department_list,
	.formats = CLI_FORMATS_LIST,
	.exits = SEES,
	.no_project = true,
	.run = cli_share_list,
};
static const struct cli_command department_describe = {
	.name = "describe",
	.group = CLI_ADMIN,
	.summary = "Show a department: its share and its projects",
	.positionals = department_name,
	.formats = CLI_FORMATS_OBJECT,
	.exits = SEES | CLI_EXIT(STINT_NOT_FOUND),
	.no_project = true,
	.run = cli_share_describe,
};
static const struct cli_command *const department_children[] = {
	&department_list, &department_describe, &department_create, &department_update, &department_delete, NULL};

const struct cli_command cli_command_department = {
	.name = "department",
	.aliases = "departments",
	.group = CLI_ADMIN,
	.summary = "Keep departments: groups of projects with a share of their own",
	.children = department_children,
};
