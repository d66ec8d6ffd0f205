/* Student's distribution: how many standard errors an interval has to be wide. */
#pragma once

/* What |t| exceeds with this probability (above 0, below 1) by chance; degrees of freedom: at least 1. */
double load_student_quantile(double probability, double degrees);
