/*
 * Faults that tests make happen. PGMEND_FAULT=journal:3 ends the program with SIGKILL when it comes to the
 * point "journal" for the third time; without the variable a point does nothing.
 */
#pragma once

void fault_point(const char *name);
