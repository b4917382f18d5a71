// SPDX-License-Identifier: GPL-2.0
/*
 * A line on a terminal about what takes longer than a second; see progress.h.
 * A timer draws it, as the program may be waiting for the kernel or a child.
 */
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>

#include "progress.h"
#include "util.h"

static int depth;		/* the outermost task is told of */
static char text[96];
static volatile sig_atomic_t shown;

/* The text may be changing just now; the next second has it right. */
static void draw(int signal)
{
	(void)signal;
	/* nowhere to complain to */
	if (write(STDERR_FILENO, "\r\033[Kvpnpass: ", 13) < 0 ||
	    write(STDERR_FILENO, text, strnlen(text, sizeof(text))) < 0)
		return;
	shown = 1;
}

static void set_timer(time_t seconds)
{
	struct itimerval timer = {
		.it_value.tv_sec = seconds, .it_interval.tv_sec = seconds,
	};
	struct sigaction action = { .sa_handler = draw, .sa_flags = SA_RESTART };

	sigaction(SIGALRM, &action, NULL);
	setitimer(ITIMER_REAL, &timer, NULL);
}

/**
 * progress_begin - Something begins that may take long.
 * @what: What it is. Inside something that has begun already it does not count.
 */
void progress_begin(const char *what)
{
	if (depth++ || !isatty(STDERR_FILENO))
		return;
	snprintf(text, sizeof(text), "%s ...", what);
	set_timer(1);
}

/**
 * progress_at - How far the outermost thing has come.
 * @done: So many are done,
 * @total: of so many.
 */
void progress_at(size_t done, size_t total)
{
	char *dots = strstr(text, " ...");

	if (dots)
		snprintf(dots, sizeof(text) - (dots - text), " ... %zu of %zu", done, total);
}

/**
 * progress_hide - Something else is to be printed.
 */
void progress_hide(void)
{
	if (shown && write(STDERR_FILENO, "\r\033[K", 4) == 4)
		shown = 0;
}

/**
 * progress_end - What began last is over.
 */
void progress_end(void)
{
	if (--depth || !isatty(STDERR_FILENO))
		return;
	set_timer(0);
	progress_hide();
}
