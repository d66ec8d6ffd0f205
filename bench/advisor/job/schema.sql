-- The 21 tables of the join-order benchmark (a copy of the Internet Movie Database), with their primary keys alone.
CREATE TABLE kind_type (id int PRIMARY KEY, kind varchar(15));
CREATE TABLE info_type (id int PRIMARY KEY, info varchar(32) NOT NULL);
CREATE TABLE role_type (id int PRIMARY KEY, role varchar(32) NOT NULL);
CREATE TABLE link_type (id int PRIMARY KEY, link varchar(32) NOT NULL);
CREATE TABLE company_type (id int PRIMARY KEY, kind varchar(32));
CREATE TABLE comp_cast_type (id int PRIMARY KEY, kind varchar(32) NOT NULL);
CREATE TABLE title (id int PRIMARY KEY, title varchar NOT NULL, imdb_index varchar(12), kind_id int NOT NULL, production_year int,
    imdb_id int, phonetic_code varchar(5), episode_of_id int, season_nr int, episode_nr int, series_years varchar(49), md5sum varchar(32));
CREATE TABLE name (id int PRIMARY KEY, name varchar NOT NULL, imdb_index varchar(12), imdb_id int, gender varchar(1),
    name_pcode_cf varchar(5), name_pcode_nf varchar(5), surname_pcode varchar(5), md5sum varchar(32));
CREATE TABLE char_name (id int PRIMARY KEY, name varchar NOT NULL, imdb_index varchar(2), imdb_id int, name_pcode_nf varchar(5),
    surname_pcode varchar(5), md5sum varchar(32));
CREATE TABLE company_name (id int PRIMARY KEY, name varchar NOT NULL, country_code varchar(6), imdb_id int, name_pcode_nf varchar(5),
    name_pcode_sf varchar(5), md5sum varchar(32));
CREATE TABLE keyword (id int PRIMARY KEY, keyword varchar NOT NULL, phonetic_code varchar(5));
CREATE TABLE aka_name (id int PRIMARY KEY, person_id int NOT NULL, name varchar, imdb_index varchar(3), name_pcode_cf varchar(11),
    name_pcode_nf varchar(11), surname_pcode varchar(11), md5sum varchar(65));
CREATE TABLE aka_title (id int PRIMARY KEY, movie_id int NOT NULL, title varchar, imdb_index varchar(4), kind_id int NOT NULL,
    production_year int, phonetic_code varchar(5), episode_of_id int, season_nr int, episode_nr int, note varchar(72), md5sum varchar(32));
CREATE TABLE cast_info (id int PRIMARY KEY, person_id int NOT NULL, movie_id int NOT NULL, person_role_id int, note varchar,
    nr_order int, role_id int NOT NULL);
CREATE TABLE complete_cast (id int PRIMARY KEY, movie_id int, subject_id int NOT NULL, status_id int NOT NULL);
CREATE TABLE movie_companies (id int PRIMARY KEY, movie_id int NOT NULL, company_id int NOT NULL, company_type_id int NOT NULL, note varchar);
CREATE TABLE movie_info (id int PRIMARY KEY, movie_id int NOT NULL, info_type_id int NOT NULL, info varchar NOT NULL, note varchar);
CREATE TABLE movie_info_idx (id int PRIMARY KEY, movie_id int NOT NULL, info_type_id int NOT NULL, info varchar NOT NULL, note varchar(1));
CREATE TABLE movie_keyword (id int PRIMARY KEY, movie_id int NOT NULL, keyword_id int NOT NULL);
CREATE TABLE movie_link (id int PRIMARY KEY, movie_id int NOT NULL, linked_movie_id int NOT NULL, link_type_id int NOT NULL);
CREATE TABLE person_info (id int PRIMARY KEY, person_id int NOT NULL, info_type_id int NOT NULL, info varchar NOT NULL, note varchar);
