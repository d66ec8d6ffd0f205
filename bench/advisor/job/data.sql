-- Rows as skewed as the real ones: few films have most of the cast, few companies make most films, years and kinds lean
-- to the recent. Numbers come from a hash of the row's key; :scale 1 has 50,000 titles.
CREATE FUNCTION r(key int8, salt int8, n int8) RETURNS int LANGUAGE sql IMMUTABLE AS
    'SELECT ((hashint8extended(key, salt) & 9223372036854775807) % n)::int';
-- From 1 to n, small numbers far more often: the quantile of a power law.
CREATE FUNCTION skew(key int8, salt int8, n int8, power float8) RETURNS int LANGUAGE sql IMMUTABLE AS
    'SELECT 1 + floor(n * (r(key, salt, 1000000) / 1000000.0::float8) ^ power)::int';
CREATE FUNCTION pick(key int8, salt int8, VARIADIC words text[]) RETURNS text LANGUAGE sql IMMUTABLE AS
    'SELECT words[skew(key, salt, cardinality(words), 2)]';
CREATE TABLE sizes AS SELECT (50000 * :scale)::int AS titles, (60000 * :scale)::int AS names, (10000 * :scale)::int AS companies,
    (40000 * :scale)::int AS characters, (6000 * :scale)::int AS keywords;
INSERT INTO kind_type SELECT k, w FROM unnest(ARRAY['episode', 'movie', 'video movie', 'tv movie', 'tv series', 'video game',
    'tv mini series']) WITH ORDINALITY AS x (w, k);
INSERT INTO info_type SELECT k, CASE k WHEN 1 THEN 'runtimes' WHEN 2 THEN 'genres' WHEN 3 THEN 'countries' WHEN 4 THEN 'languages'
    WHEN 5 THEN 'release dates' WHEN 6 THEN 'budget' WHEN 7 THEN 'rating' WHEN 8 THEN 'votes' WHEN 9 THEN 'top 250 rank'
    WHEN 10 THEN 'mini biography' WHEN 11 THEN 'trivia' ELSE 'info ' || k END FROM generate_series(1, 113) AS k;
INSERT INTO role_type SELECT k, w FROM unnest(ARRAY['actor', 'actress', 'producer', 'writer', 'cinematographer', 'composer',
    'costume designer', 'director', 'editor', 'miscellaneous crew', 'production designer', 'guest']) WITH ORDINALITY AS x (w, k);
INSERT INTO link_type SELECT k, w FROM unnest(ARRAY['references', 'follows', 'followed by', 'features', 'spoofs', 'remake of',
    'version of', 'edited from']) WITH ORDINALITY AS x (w, k);
INSERT INTO company_type SELECT k, w FROM unnest(ARRAY['distributors', 'production companies', 'special effects companies',
    'miscellaneous companies']) WITH ORDINALITY AS x (w, k);
INSERT INTO comp_cast_type SELECT k, w FROM unnest(ARRAY['cast', 'crew', 'complete', 'complete+verified']) WITH ORDINALITY AS x (w, k);
INSERT INTO title SELECT k, 'Title ' || md5(k::text) || CASE WHEN r(k, 1, 500) = 0 THEN ' Champion' ELSE '' END, NULL, skew(k, 2, 7, 2),
    2015 - floor(110 * (r(k, 3, 100000) / 100000.0) ^ 3)::int, NULL, left(md5(k::text), 5),
    CASE WHEN skew(k, 2, 7, 2) = 1 THEN skew(k, 4, titles, 2) END, r(k, 5, 20), r(k, 6, 500), NULL, md5(k::text)
  FROM sizes, generate_series(1, titles) AS k;
INSERT INTO name SELECT k, chr(65 + r(k, 11, 26)) || substr(md5(k::text), 1, 8) || ', ' || pick(k, 12, 'John', 'Mary', 'Tim', 'Anna', 'Bert',
    'Zoe'), NULL, NULL, CASE r(k, 13, 5) WHEN 0 THEN NULL WHEN 1 THEN 'f' WHEN 2 THEN 'f' ELSE 'm' END, left(md5(k::text), 5),
    left(md5((k * 7)::text), 5), NULL, md5(k::text) FROM sizes, generate_series(1, names) AS k;
INSERT INTO char_name SELECT k, pick(k, 21, 'Himself', 'Queen', 'Officer', 'Tony', 'Nurse', 'Judge') || ' ' || substr(md5(k::text), 1, 6), NULL, NULL,
    left(md5(k::text), 5), NULL, md5(k::text) FROM sizes, generate_series(1, characters) AS k;
INSERT INTO company_name SELECT k, pick(k, 31, 'Film', 'Warner', 'Studio', 'Lionsgate', 'Pictures') || ' ' || substr(md5(k::text), 1, 8),
    '[' || pick(k, 32, 'us', 'gb', 'de', 'fr', 'in', 'jp', 'ca', 'it', 'nl', 'sm') || ']', NULL, left(md5(k::text), 5), NULL, md5(k::text)
  FROM sizes, generate_series(1, companies) AS k;
INSERT INTO keyword SELECT k, CASE k WHEN 40 THEN 'sequel' WHEN 300 THEN 'superhero' WHEN 700 THEN 'marvel-cinematic-universe'
    WHEN 1200 THEN 'character-name-in-title' WHEN 90 THEN 'murder' WHEN 150 THEN 'blood' ELSE 'word-' || md5(k::text) END, left(md5(k::text), 5)
  FROM sizes, generate_series(1, keywords) AS k;
INSERT INTO aka_name SELECT k, skew(k, 41, names, 1.5), chr(97 + r(k, 42, 26)) || md5(k::text), NULL, NULL, NULL, NULL, md5(k::text)
  FROM sizes, generate_series(1, names / 3) AS k;
INSERT INTO aka_title SELECT k, skew(k, 51, titles, 1.5), 'Aka ' || md5(k::text), NULL, skew(k, 52, 7, 2), 1990 + r(k, 53, 25), NULL, NULL,
    NULL, NULL, NULL, md5(k::text) FROM sizes, generate_series(1, titles / 6) AS k;
INSERT INTO cast_info SELECT k, skew(k, 61, names, 2.5), skew(k, 62, titles, 1.8), CASE WHEN r(k, 63, 2) = 0 THEN skew(k, 64, characters, 2) END,
    CASE r(k, 65, 12) WHEN 0 THEN '(voice)' WHEN 1 THEN '(uncredited)' WHEN 2 THEN '(producer)' WHEN 3 THEN '(executive producer)' WHEN 4 THEN
    '(voice: English version)' END, r(k, 66, 50), skew(k, 67, 12, 2)
  FROM sizes, generate_series(1, titles * 7) AS k;
INSERT INTO complete_cast SELECT k, skew(k, 71, titles, 1.5), 1 + r(k, 72, 2), 3 + r(k, 73, 2) FROM sizes, generate_series(1, titles / 20) AS k;
INSERT INTO movie_companies SELECT k, skew(k, 81, titles, 1.5), skew(k, 82, companies, 3), 1 + r(k, 83, 2),
    CASE r(k, 84, 4) WHEN 0 THEN '(200' || r(k, 85, 10) || ') (USA) (TV)' WHEN 1 THEN '(co-production)' WHEN 2 THEN '(presents)' END
  FROM sizes, generate_series(1, titles + titles / 20) AS k;
INSERT INTO movie_info SELECT k, skew(k, 91, titles, 1.3), t.t, CASE t.t WHEN 2 THEN pick(k, 93, 'Drama', 'Comedy', 'Short', 'Documentary',
    'Action', 'Thriller', 'Horror', 'Crime', 'Sci-Fi') WHEN 3 THEN pick(k, 94, 'USA', 'UK', 'Germany', 'France', 'Japan', 'Sweden', 'Bulgaria')
    WHEN 5 THEN 'USA:' || 1990 + r(k, 95, 25) ELSE md5(k::text) END, CASE WHEN r(k, 96, 10) = 0 THEN 'internet' END
  FROM sizes, generate_series(1, titles * 3) AS k, LATERAL (SELECT skew(k, 92, 113, 4)) AS t (t);
INSERT INTO movie_info_idx SELECT k, skew(k, 101, titles, 1.1), 7 + r(k, 102, 3), round(r(k, 103, 100) / 10.0, 1)::text, NULL
  FROM sizes, generate_series(1, titles * 3 / 5) AS k;
INSERT INTO movie_keyword SELECT k, skew(k, 111, titles, 1.6), skew(k, 112, keywords, 2) FROM sizes, generate_series(1, titles * 2) AS k;
INSERT INTO movie_link SELECT k, skew(k, 121, titles, 1.5), skew(k, 122, titles, 1.5), skew(k, 123, 8, 2) FROM sizes, generate_series(1, titles / 50) AS k;
INSERT INTO person_info SELECT k, skew(k, 131, names, 1.5), 10 + skew(k, 132, 30, 3), md5(k::text) || md5((k + 1)::text),
    CASE WHEN r(k, 133, 40) = 0 THEN 'Volker Boehm' END FROM sizes, generate_series(1, names) AS k;
DROP TABLE sizes;
