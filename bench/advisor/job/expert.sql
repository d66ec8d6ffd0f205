-- By hand: the foreign keys by which joins enter a table from its film, person or word, and the few selective columns.
CREATE INDEX x_cast_movie ON cast_info (movie_id);
CREATE INDEX x_cast_person ON cast_info (person_id);
CREATE INDEX x_companies_movie ON movie_companies (movie_id);
CREATE INDEX x_companies_company ON movie_companies (company_id, movie_id);
CREATE INDEX x_info_movie ON movie_info (movie_id);
CREATE INDEX x_info_info ON movie_info (info, movie_id);
CREATE INDEX x_info_idx_movie ON movie_info_idx (movie_id);
CREATE INDEX x_info_idx_info ON movie_info_idx (info_type_id, info);
CREATE INDEX x_keyword_keyword ON movie_keyword (keyword_id, movie_id);
CREATE INDEX x_keyword ON keyword (keyword);
CREATE INDEX x_person_info_note ON person_info (note) WHERE note IS NOT NULL;
CREATE INDEX x_aka_person ON aka_name (person_id);
CREATE INDEX x_title_episode ON title (episode_of_id) WHERE episode_of_id IS NOT NULL;
CREATE INDEX x_title_kind_year ON title (kind_id, production_year, title, id);
