-- What the members of online_retail.kehu's rules are, said a second time by hand. e: the events (c: customer, ev,
-- invoice, code, name, qty, price, amount, country; t: UTC, l: in Shanghai, d: its day, h: its hour), customers: all of them (c),
-- traits (c, country, joined, lines, vip). this_day(), this_moment(): when it is asked. A statement stands behind its
-- name; of a segment it has c, of a tag c and v.

-- segment 年度高消费
SELECT c FROM e WHERE ev = 'Order Line' AND d >= this_day() - 364 GROUP BY c HAVING sum(amount) > 5000
-- segment 高单价
SELECT c FROM e WHERE ev = 'Order Line' GROUP BY c HAVING ratio(sum(price) * 10000, count(*)) >= 40000
-- segment 大单
SELECT c FROM e WHERE ev = 'Order Line' AND d >= DATE '2011-06-01' GROUP BY c HAVING max(amount) >= 1000
-- segment 退货多
SELECT c FROM e WHERE ev = 'Order Line Cancelled' AND d BETWEEN DATE '2011-01-01' AND DATE '2011-12-31' GROUP BY c HAVING sum(amount) < -100
-- segment 万元户
SELECT c FROM e GROUP BY c HAVING coalesce(sum(amount), 0) >= 10000
-- segment 小件
SELECT c FROM e WHERE ev = 'Order Line' GROUP BY c HAVING min(qty) = 1 AND max(qty) <= 50
-- segment 批发
SELECT c FROM e WHERE ev = 'Order Line' GROUP BY c HAVING ratio(10000 * count(*) FILTER (qty >= 24), count(*)) >= 3000
-- segment 退货率
SELECT c FROM e WHERE d > this_day() - INTERVAL 12 MONTH GROUP BY c HAVING ratio(10000 * count(*) FILTER (amount < 0), count(*)) > 500
-- tag 净额
SELECT c, coalesce(sum(amount), 0) FROM e GROUP BY c
-- tag 均价
SELECT c, ratio(sum(price) * 10000, count(*)) / 10000.0 FROM e WHERE ev = 'Order Line' GROUP BY c
-- tag 月均额
SELECT c, ratio(sum(amount) * 10000, count(*)) / 10000.0 FROM e WHERE ev = 'Order Line' AND d > this_day() - INTERVAL 3 MONTH GROUP BY c
-- tag 最小额
SELECT c, min(amount) FROM e WHERE ev = 'Order Line Cancelled' GROUP BY c
-- tag 最大价
SELECT c, max(price) FROM e WHERE d > this_day() - INTERVAL 6 MONTH GROUP BY c HAVING max(price) IS NOT NULL
-- segment 买过灯
SELECT DISTINCT c FROM e WHERE ev = 'Order Line' AND name LIKE '%LANTERN%' AND qty > 2
-- segment 圣诞
SELECT c FROM e WHERE ev = 'Order Line' AND d BETWEEN DATE '2011-09-01' AND DATE '2011-12-09'
AND (name LIKE 'CHRISTMAS%' OR name LIKE '%XMAS%' OR name LIKE '%ADVENT%') GROUP BY c HAVING count(*) >= 3
-- segment 代码
SELECT DISTINCT c FROM e WHERE ev = 'Order Line' AND code LIKE '%B' AND code NOT IN ('85099B', '84406B')
-- segment 邮费
SELECT DISTINCT c FROM e WHERE ev = 'Order Line' AND code IN ('POST', 'DOT')
-- segment 无价
SELECT DISTINCT c FROM e WHERE price = 0
-- segment 无名
SELECT DISTINCT c FROM e WHERE name IS NULL
-- segment 外币
SELECT DISTINCT c FROM e WHERE country IS NULL
-- tag 首件
SELECT c, name FROM e WHERE ev = 'Order Line' AND name IS NOT NULL QUALIFY row_number() OVER (PARTITION BY c ORDER BY t, name DESC) = 1
-- tag 末件
SELECT c, name FROM e WHERE ev = 'Order Line' AND name IS NOT NULL AND d > this_day() - INTERVAL 1 YEAR
QUALIFY row_number() OVER (PARTITION BY c ORDER BY t DESC, name DESC) = 1
-- tag 常买
SELECT c, code FROM (SELECT c, code, count(*) AS n FROM e WHERE ev = 'Order Line' AND qty >= 150 GROUP BY ALL)
QUALIFY row_number() OVER (PARTITION BY c ORDER BY n DESC, code) = 1
-- tag 常买近
SELECT c, code FROM (SELECT c, code, count(*) AS n FROM e WHERE ev = 'Order Line' AND qty >= 100 AND qty < 200 AND d > this_day() - INTERVAL 6 MONTH GROUP BY ALL)
QUALIFY row_number() OVER (PARTITION BY c ORDER BY n DESC, code) = 1
-- tag 国家
SELECT c, country FROM e WHERE country IS NOT NULL QUALIFY row_number() OVER (PARTITION BY c ORDER BY t DESC, country DESC) = 1
-- tag 订单数
SELECT c, count(DISTINCT invoice) FILTER (ev = 'Order Line') FROM e GROUP BY c
-- segment 多订单
SELECT c FROM e WHERE ev = 'Order Line' AND d >= this_day() - 181 GROUP BY c HAVING count(DISTINCT invoice) >= 4
-- segment 周日
SELECT c FROM e WHERE ev = 'Order Line' AND isodow(d) = 7 GROUP BY c HAVING count(*) > 20
-- segment 清晨
SELECT DISTINCT c FROM e WHERE ev = 'Order Line' AND isodow(d) <= 2 AND h BETWEEN 15 AND 17
AND date_trunc('month', d) = date_trunc('month', this_day()) - INTERVAL 1 MONTH
-- segment 首单早
SELECT c FROM e WHERE ev = 'Order Line' GROUP BY c HAVING min(d) < DATE '2011-03-01'
-- segment 沉睡
SELECT c FROM e WHERE ev = 'Order Line' GROUP BY c HAVING max(d) < this_day() - 179
-- segment 周期
SELECT c FROM e WHERE ev = 'Order Line' GROUP BY c
HAVING count(*) > 1 AND ratio(epoch_ms(max(t)) - epoch_ms(min(t)), 8640 * (count(*) - 1)) BETWEEN 5000 AND 20000
-- segment 近百日间隔
SELECT c FROM e WHERE ev = 'Order Line' AND d >= this_day() - 99 GROUP BY c
HAVING count(*) > 1 AND ratio(epoch_ms(max(t)) - epoch_ms(min(t)), 8640 * (count(*) - 1)) > 10000
-- segment 活跃日
SELECT c FROM e WHERE ev = 'Order Line' AND d >= this_day() - 364 GROUP BY c HAVING count(DISTINCT d) >= 6
-- segment 失联
SELECT c FROM e WHERE ev = 'Order Line' GROUP BY c HAVING this_day() - max(d) > 90 OR this_day() - min(d) < 30
-- segment 第五
SELECT c FROM e WHERE ev = 'Order Line' AND qty >= 10 QUALIFY row_number() OVER (PARTITION BY c ORDER BY t) = 5 AND d >= this_day() - 199
-- tag 距首单
SELECT c, this_day() - min(d) FROM e WHERE ev = 'Order Line' GROUP BY c
-- tag 本年活跃
SELECT c, count(DISTINCT d) FILTER (year(d) = year(this_day())) FROM e GROUP BY c
-- tag 上季数
SELECT c, count(*) FILTER (ev = 'Order Line' AND date_trunc('quarter', d) = date_trunc('quarter', this_day()) - INTERVAL 3 MONTH) FROM e GROUP BY c
-- tag 末单时间
SELECT c, instant(max(l)) FROM e WHERE ev = 'Order Line' GROUP BY c
-- segment 大单退货
SELECT DISTINCT a.c FROM e a JOIN e b ON a.c = b.c AND a.code = b.code AND a.ev = 'Order Line' AND a.amount > 250 AND a.price > 5
AND b.ev = 'Order Line Cancelled' AND b.amount < -250 AND b.t BETWEEN a.t AND a.t + INTERVAL 720 HOUR
-- segment 升级
SELECT DISTINCT a.c FROM e a JOIN e b ON a.c = b.c AND a.ev = 'Order Line' AND b.ev = 'Order Line' AND a.code = '22423' AND b.code = '47566' AND a.qty >= 6 AND b.qty >= 6
AND b.t BETWEEN a.t AND a.t + INTERVAL 720 HOUR WHERE b.d >= this_day() - 299
-- segment 只买蛋糕架
SELECT DISTINCT c FROM e a WHERE ev = 'Order Line' AND code = '22423' AND qty >= 6 AND t + INTERVAL 1440 HOUR < this_moment()
AND NOT EXISTS (FROM e b WHERE b.c = a.c AND b.ev = 'Order Line' AND b.code = '47566' AND b.qty >= 6 AND b.t >= a.t)
-- tag 步骤
WITH one AS (SELECT c, min(t) AS t FROM e WHERE ev = 'Order Line' AND code = '85123A' AND qty >= 6 GROUP BY c),
     two AS (SELECT c, min(e.t) AS t FROM e JOIN one USING (c) WHERE ev = 'Order Line Cancelled' AND code = '85123A' AND e.t >= one.t GROUP BY c),
     three AS (SELECT c, min(e.t) AS t FROM e JOIN two USING (c) WHERE ev = 'Order Line' AND code = '22423' AND qty >= 6 AND e.t >= two.t GROUP BY c)
SELECT one.c, CASE WHEN two.t IS NOT NULL AND three.t IS NULL THEN 'Order Line Cancelled' ELSE 'Order Line' END
FROM one LEFT JOIN two USING (c) LEFT JOIN three USING (c)
-- segment 德法
SELECT c FROM traits WHERE country IN ('Germany', 'France')
-- segment 非英
SELECT c FROM traits WHERE country <> 'United Kingdom'
-- segment 周年
SELECT DISTINCT c FROM traits, range(0, 41) k WHERE strftime(this_day() + k.range::INT, '%m-%d') = strftime(joined, '%m-%d')
OR strftime(joined, '%m-%d') = '02-29' AND strftime(this_day() + k.range::INT, '%m-%d') = '02-28' AND day(last_day(this_day() + k.range::INT)) = 28
-- segment 新会员
SELECT c FROM traits WHERE joined >= this_day() - 89 AND lines >= 20
-- segment 早会员
SELECT c FROM traits WHERE joined < DATE '2011-02-01' AND vip
-- segment 今前
SELECT c FROM traits WHERE joined < this_day() AND joined + INTERVAL 300 DAY > this_moment() + INTERVAL 8 HOUR
-- segment 无特征
SELECT c FROM customers WHERE c NOT IN (SELECT c FROM traits)
-- segment 好客户
SELECT c FROM e GROUP BY c HAVING coalesce(sum(amount), 0) >= 10000
AND coalesce(sum(amount) FILTER (ev = 'Order Line Cancelled' AND d BETWEEN DATE '2011-01-01' AND DATE '2011-12-31'), 0) >= -100
OR coalesce(sum(amount), 0) > 20000
-- segment 标签国
WITH known AS (SELECT c, country FROM e WHERE country IS NOT NULL QUALIFY row_number() OVER (PARTITION BY c ORDER BY t DESC, country DESC) = 1)
SELECT c FROM known JOIN traits USING (c, country) WHERE c IN (SELECT c FROM e WHERE ev = 'Order Line' GROUP BY c HAVING count(DISTINCT invoice) >= 2)
-- tag 生命周期
SELECT c, CASE WHEN last IS NULL THEN '潜客' WHEN last >= this_day() - 29 THEN '活跃' WHEN last >= this_day() - 179 THEN '流失风险' ELSE '沉睡' END
FROM (SELECT c, max(d) FILTER (ev = 'Order Line') AS last FROM e GROUP BY c)
-- tag 积分
SELECT c, CASE WHEN total >= 10000 THEN 100 WHEN n >= 4 THEN 50 ELSE 0 END FROM
(SELECT c, coalesce(sum(amount), 0) AS total, count(DISTINCT invoice) FILTER (ev = 'Order Line' AND d >= this_day() - 181) AS n FROM e GROUP BY c)
-- tag 年数
SELECT c, date_sub('year', (joined - 4000)::DATE, this_day()) FROM traits
-- tag 消费档
SELECT c, CASE WHEN s < 500 THEN '低' WHEN s < 2000 THEN '中' ELSE '高' END FROM (SELECT c, coalesce(sum(amount) FILTER (ev = 'Order Line'), 0) AS s FROM e GROUP BY c)
-- segment 节日下单
SELECT c FROM e WHERE ev = 'Order Line' AND (d BETWEEN DATE '2026-02-15' AND DATE '2026-02-23' OR d BETWEEN DATE '2026-05-01' AND DATE '2026-05-05'
OR d BETWEEN DATE '2026-10-01' AND DATE '2026-10-07') GROUP BY c HAVING count(*) >= 5
-- tag 工作日数
SELECT c, count(*) FILTER (ev = 'Order Line' AND year(d) = 2026 AND (isodow(d) < 6 OR d IN ('2026-01-04', '2026-02-14', '2026-02-28', '2026-05-09', '2026-09-20', '2026-10-10'))
AND NOT (d BETWEEN DATE '2026-01-01' AND DATE '2026-01-03' OR d BETWEEN DATE '2026-02-15' AND DATE '2026-02-23' OR d BETWEEN DATE '2026-04-04' AND DATE '2026-04-06'
OR d BETWEEN DATE '2026-05-01' AND DATE '2026-05-05' OR d BETWEEN DATE '2026-06-19' AND DATE '2026-06-21' OR d BETWEEN DATE '2026-09-25' AND DATE '2026-09-27'
OR d BETWEEN DATE '2026-10-01' AND DATE '2026-10-07')) FROM e GROUP BY c
-- segment 早写特征
SELECT c FROM traits_rows WHERE make_timestamp(time::BIGINT * 1000000) + INTERVAL 8 HOUR < DATE '2011-06-01'
