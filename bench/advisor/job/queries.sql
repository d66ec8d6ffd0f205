-- Twenty questions in the manner of the join-order benchmark: many joins by foreign keys, a few selective predicates on the
-- small tables at the rim, and a min() so that little is sent.

-- name: j01
SELECT min(mc.note), min(t.title), min(t.production_year)
  FROM company_type AS ct, info_type AS it, movie_companies AS mc, movie_info_idx AS mi, title AS t
 WHERE ct.kind = 'production companies' AND it.info = 'top 250 rank' AND mc.note LIKE '%(co-production)%'
   AND ct.id = mc.company_type_id AND t.id = mc.movie_id AND t.id = mi.movie_id AND mc.movie_id = mi.movie_id AND it.id = mi.info_type_id
   AND t.production_year > 2010;

-- name: j02
SELECT min(t.title) FROM company_name AS cn, keyword AS k, movie_companies AS mc, movie_keyword AS mk, title AS t
 WHERE cn.country_code = '[de]' AND k.keyword = 'character-name-in-title' AND cn.id = mc.company_id AND mc.movie_id = t.id
   AND t.id = mk.movie_id AND mk.keyword_id = k.id AND mc.movie_id = mk.movie_id;

-- name: j03
SELECT min(t.title) FROM keyword AS k, movie_info AS mi, movie_keyword AS mk, title AS t
 WHERE k.keyword = 'sequel' AND mi.info IN ('Sweden', 'Germany', 'Bulgaria') AND t.production_year > 2005 AND t.id = mi.movie_id
   AND t.id = mk.movie_id AND mk.movie_id = mi.movie_id AND k.id = mk.keyword_id;

-- name: j04
SELECT min(mi.info), min(t.title) FROM info_type AS it, keyword AS k, movie_info_idx AS mi, movie_keyword AS mk, title AS t
 WHERE it.info = 'rating' AND k.keyword = 'superhero' AND mi.info > '5.0' AND t.production_year > 2005 AND t.id = mi.movie_id
   AND t.id = mk.movie_id AND mk.movie_id = mi.movie_id AND k.id = mk.keyword_id AND it.id = mi.info_type_id;

-- name: j05
SELECT min(t.title) FROM company_type AS ct, info_type AS it, movie_companies AS mc, movie_info AS mi, title AS t
 WHERE ct.kind = 'production companies' AND mc.note LIKE '%(TV)%' AND mi.info IN ('Germany', 'Sweden') AND t.production_year > 2005
   AND t.id = mi.movie_id AND t.id = mc.movie_id AND mc.movie_id = mi.movie_id AND ct.id = mc.company_type_id AND it.id = mi.info_type_id;

-- name: j06
SELECT min(k.keyword), min(n.name), min(t.title) FROM cast_info AS ci, keyword AS k, movie_keyword AS mk, name AS n, title AS t
 WHERE k.keyword = 'marvel-cinematic-universe' AND n.name LIKE '%Tim' AND t.production_year > 2010 AND k.id = mk.keyword_id
   AND t.id = mk.movie_id AND t.id = ci.movie_id AND ci.movie_id = mk.movie_id AND n.id = ci.person_id;

-- name: j07
SELECT min(n.name), min(t.title)
  FROM aka_name AS an, cast_info AS ci, info_type AS it, link_type AS lt, movie_link AS ml, name AS n, person_info AS pi, title AS t
 WHERE an.name LIKE '%a%' AND it.info = 'mini biography' AND lt.link = 'features' AND n.name_pcode_cf BETWEEN 'a' AND 'f'
   AND pi.note = 'Volker Boehm' AND t.production_year BETWEEN 1980 AND 2010 AND n.id = an.person_id AND n.id = pi.person_id
   AND ci.person_id = n.id AND t.id = ci.movie_id AND ml.linked_movie_id = t.id AND lt.id = ml.link_type_id AND it.id = 10;

-- name: j08
SELECT min(an.name), min(t.title)
  FROM aka_name AS an, cast_info AS ci, company_name AS cn, movie_companies AS mc, name AS n, role_type AS rt, title AS t
 WHERE ci.note = '(voice: English version)' AND cn.country_code = '[jp]' AND n.name LIKE '%Zoe%' AND rt.role = 'actress'
   AND an.person_id = n.id AND n.id = ci.person_id AND ci.movie_id = t.id AND t.id = mc.movie_id AND mc.company_id = cn.id
   AND ci.role_id = rt.id AND an.person_id = ci.person_id AND ci.movie_id = mc.movie_id;

-- name: j09
SELECT min(chn.name), min(t.title) FROM char_name AS chn, cast_info AS ci, company_name AS cn, movie_companies AS mc, role_type AS rt, title AS t
 WHERE ci.note LIKE '%(uncredited)%' AND cn.country_code = '[sm]' AND rt.role = 'actor' AND t.production_year > 2010 AND t.id = mc.movie_id
   AND t.id = ci.movie_id AND ci.movie_id = mc.movie_id AND chn.id = ci.person_role_id AND rt.id = ci.role_id AND cn.id = mc.company_id;

-- name: j10
SELECT min(cn.name), min(lt.link), min(t.title)
  FROM company_name AS cn, company_type AS ct, keyword AS k, link_type AS lt, movie_companies AS mc, movie_keyword AS mk, movie_link AS ml, title AS t
 WHERE cn.country_code <> '[de]' AND cn.name LIKE '%Film%' AND ct.kind = 'production companies' AND k.keyword = 'sequel'
   AND lt.link LIKE '%follow%' AND mc.note IS NULL AND t.production_year BETWEEN 1950 AND 2014 AND lt.id = ml.link_type_id
   AND ml.movie_id = t.id AND t.id = mk.movie_id AND mk.keyword_id = k.id AND t.id = mc.movie_id AND mc.company_type_id = ct.id
   AND mc.company_id = cn.id;

-- name: j11
SELECT min(mi.info), min(t.title)
  FROM company_name AS cn, info_type AS it, info_type AS it2, kind_type AS kt, movie_companies AS mc, movie_info AS mi, movie_info_idx AS mx, title AS t
 WHERE cn.country_code = '[fr]' AND it.info = 'rating' AND it2.info = 'release dates' AND kt.kind = 'movie' AND mi.movie_id = t.id
   AND it2.id = mi.info_type_id AND kt.id = t.kind_id AND mc.movie_id = t.id AND cn.id = mc.company_id AND mx.movie_id = t.id
   AND it.id = mx.info_type_id AND t.title LIKE '%Champion%';

-- name: j12
SELECT min(n.name), min(t.title) FROM cast_info AS ci, company_name AS cn, keyword AS k, movie_companies AS mc, movie_keyword AS mk, name AS n, title AS t
 WHERE k.keyword = 'character-name-in-title' AND n.name LIKE 'B%' AND n.id = ci.person_id AND ci.movie_id = t.id AND t.id = mk.movie_id
   AND mk.keyword_id = k.id AND t.id = mc.movie_id AND mc.company_id = cn.id AND cn.country_code = '[us]' AND ci.movie_id = mk.movie_id;

-- name: j13
SELECT min(t.title) FROM complete_cast AS cc, comp_cast_type AS c1, comp_cast_type AS c2, cast_info AS ci, keyword AS k, movie_keyword AS mk, title AS t
 WHERE c1.kind = 'cast' AND c2.kind LIKE '%complete%' AND k.keyword IN ('superhero', 'sequel', 'marvel-cinematic-universe')
   AND t.production_year > 2000 AND t.id = mk.movie_id AND t.id = ci.movie_id AND t.id = cc.movie_id AND k.id = mk.keyword_id
   AND c1.id = cc.subject_id AND c2.id = cc.status_id;

-- name: j14
SELECT min(mi.info), min(mx.info), min(n.name), min(t.title)
  FROM cast_info AS ci, info_type AS i1, info_type AS i2, movie_info AS mi, movie_info_idx AS mx, name AS n, title AS t
 WHERE ci.note IN ('(producer)', '(executive producer)') AND i1.info = 'genres' AND i2.info = 'votes' AND n.gender = 'f' AND mi.info = 'Sci-Fi'
   AND t.production_year BETWEEN 2008 AND 2014 AND mx.info > '9.0' AND t.id = mi.movie_id AND t.id = mx.movie_id AND t.id = ci.movie_id
   AND n.id = ci.person_id AND i1.id = mi.info_type_id AND i2.id = mx.info_type_id;

-- name: j15
SELECT min(t1.title), min(t2.title) FROM keyword AS k, link_type AS lt, movie_keyword AS mk, movie_link AS ml, title AS t1, title AS t2
 WHERE k.keyword = 'character-name-in-title' AND mk.keyword_id = k.id AND t1.id = mk.movie_id AND ml.movie_id = t1.id
   AND ml.linked_movie_id = t2.id AND lt.id = ml.link_type_id;

-- name: j16
SELECT ci.movie_id, t.title, ci.nr_order FROM cast_info AS ci JOIN title AS t ON t.id = ci.movie_id
 WHERE ci.person_id = 4711 ORDER BY t.production_year DESC, t.id DESC, ci.id;

-- name: j17
SELECT n.id, n.name, ci.nr_order FROM cast_info AS ci JOIN name AS n ON n.id = ci.person_id
 WHERE ci.movie_id = 1234 ORDER BY ci.nr_order, ci.id;

-- name: j18
SELECT id, title, season_nr, episode_nr FROM title WHERE episode_of_id = 77 ORDER BY season_nr, episode_nr, id;

-- name: j19
SELECT id, title, production_year FROM title WHERE kind_id = 2 AND production_year = 2014 ORDER BY title, id LIMIT 20;

-- name: j20
SELECT info_type_id, info FROM movie_info WHERE movie_id = 4321 ORDER BY info_type_id, id;
