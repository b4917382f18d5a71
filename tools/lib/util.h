/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Small things that every file of the tool may need: memory that does not
 * fail, and the one way to complain.
 */
#ifndef _VPNPASS_UTIL_H
#define _VPNPASS_UTIL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))
#define __printf(f, v)	__attribute__((format(printf, f, v)))
#define __noreturn	__attribute__((noreturn))

/* Exit codes, as iproute2 has them. */
#define EXIT_OK		0
#define EXIT_USAGE	1
#define EXIT_REFUSED	2

/**
 * struct complaint - What was complained of last, for those who read JSON.
 * @text: What is wrong, with the place in a file in front; empty if nothing is.
 * @code: Stable word for its kind, NULL for the one of the exit code.
 * @hint: What to do about it, empty if that is not known.
 */
struct complaint {
	char text[768];
	const char *code;
	char hint[320];
};

void __noreturn out_of_memory(void);
void *xrealloc(void *old, size_t size);
void *xgrow(void *list, size_t n, size_t size);
char *xstrdup(const char *text);
char *xasprintf(const char *fmt, ...) __printf(1, 2);
bool parse_u32(uint32_t *to, const char *text);
void complain(const char *fmt, ...) __printf(1, 2);
void complain_about(const char *file, size_t line);
void complain_code(const char *code);
void advise(const char *fmt, ...) __printf(1, 2);
void advise_quietly(const char *fmt, ...) __printf(1, 2);
const struct complaint *last_complaint(void);

/* nearest.c */
const char *nearest_word(const char *word, const char *const *known);

#endif /* _VPNPASS_UTIL_H */
